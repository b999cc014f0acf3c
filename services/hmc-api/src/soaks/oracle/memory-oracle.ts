/**
 * Whether the memory in a vmcore is what memory was. What it was is known from outside of the crash: from the seed of what
 * user space was told to write, and from where it said, before the crash, that it had written it.
 */
import type { SoakCheck } from '@fadump-lab/shared/contracts'
import { equalBytes, isZero } from '@fadump-lab/shared/units'
import { capturePage, labelOf, pageBytes, userPage } from './expected-page.ts'

export interface MemoryExpected {
  /** Pages that user space has written, each with the seed that it last said it had written there. */
  readonly written: ReadonlyMap<bigint, number>
  /** What it was about to write when the crash came, in the order of writing: the beginning of it may be there. */
  readonly next?: { readonly seed: number; readonly pages: readonly bigint[] }
  /** The kernel's own pages end here. */
  readonly kernelEnd: bigint
  /** Pages beyond that the kernel uses: its parameter area. */
  readonly kernelPages: readonly bigint[]
  /** The boot that crashed: capture kernels of earlier ones have left pages, later ones must not be seen. */
  readonly epoch: number
  /** What must stand in the kernel's pages: its log, its name. */
  readonly texts: readonly string[]
}

/** Mistakes that are told in words; the rest are counted. */
const toldMax = 3
/** Where the kernel's log and names lie: 2 MiB. */
const kernelTextPages = 32n

export class MemoryOracle {
  readonly #expected: MemoryExpected
  readonly #open: Set<bigint>
  readonly #kernelPages: ReadonlySet<bigint>
  readonly #wrong: string[] = []
  readonly #next = new Set<bigint>()
  readonly #texts: string[] = []
  #mistakes = 0

  constructor(expected: MemoryExpected) {
    this.#expected = expected
    this.#open = new Set(expected.written.keys())
    this.#kernelPages = new Set(expected.kernelPages)
  }

  /** A page of the vmcore: `page` is its address / 64 KiB. */
  page(page: bigint, bytes: Uint8Array): void {
    if (this.#open.delete(page)) return this.#written(page, bytes)
    if (isZero(bytes)) return undefined
    if (page < kernelTextPages) this.#texts.push(new TextDecoder('latin1').decode(bytes))
    const label = labelOf(bytes)
    if (label?.by === 'capture kernel') return this.#earlierCapture(page, label.boot, bytes)
    if (label !== undefined) {
      return this.#mistake(page, `user space wrote seed ${hex(label.seed)} there, but not now`)
    }
    if (page < this.#expected.kernelEnd || this.#kernelPages.has(page)) return undefined
    return this.#mistake(page, 'is not zero, and nobody has written it')
  }

  checks(): SoakCheck[] {
    const { texts } = this.#expected
    for (const page of this.#open) this.#mistake(page, 'is missing')
    const text = this.#texts.join('')
    const absent = texts.filter((each) => !text.includes(each))
    return [
      check('memory', this.#mistakes === 0, this.#mistakeText()),
      check('moment', this.#isOneMoment(), this.#momentText()),
      check('kernel text', absent.length === 0, `not in the kernel's memory: ${absent.join('; ')}`),
    ]
  }

  #written(page: bigint, bytes: Uint8Array): void {
    const { written, next } = this.#expected
    const seed = written.get(page) ?? 0
    if (equalBytes(bytes, userPage(seed, page))) return undefined
    if (next !== undefined && equalBytes(bytes, userPage(next.seed, page))) {
      this.#next.add(page)
      return undefined
    }
    const label = labelOf(bytes)
    if (label === undefined) return this.#mistake(page, 'is not what user space wrote')
    const who = label.by === 'user space' ? `seed ${hex(label.seed)}` : `capture boot ${label.boot}`
    return this.#mistake(page, `is of ${who}, page ${hex(label.page)}, not of seed ${hex(seed)}`)
  }

  #earlierCapture(page: bigint, boot: number, bytes: Uint8Array): void {
    if (boot > this.#expected.epoch) {
      return this.#mistake(page, `was written by capture boot ${boot}, after the crash`)
    }
    if (!equalBytes(bytes, capturePage(boot, page))) {
      return this.#mistake(page, `is not what capture boot ${boot} wrote`)
    }
    return undefined
  }

  /** Writing goes page by page: of what was under way the beginning is there, and nothing behind it. */
  #isOneMoment(): boolean {
    const pages = this.#expected.next?.pages ?? []
    return pages.slice(0, this.#next.size).every((page) => this.#next.has(page))
  }

  #momentText(): string {
    return `${this.#next.size} pages are of the rewrite that was under way, but not the first ones`
  }

  #mistake(page: bigint, what: string): void {
    this.#mistakes += 1
    if (this.#wrong.length < toldMax) {
      this.#wrong.push(`page ${hex(page)} (address ${hex(page * BigInt(pageBytes))}) ${what}`)
    }
  }

  #mistakeText(): string {
    const more = this.#mistakes - this.#wrong.length
    return `${this.#wrong.join('; ')}${more > 0 ? `; and ${more} more` : ''}`
  }
}

/** A check; `detail` is told only when it failed. */
export function check(name: string, passed: boolean, detail: string): SoakCheck {
  return passed ? { name, passed } : { name, passed, detail: detail.slice(0, 1024) }
}

function hex(value: bigint | number): string {
  return `0x${value.toString(16)}`
}
