/** The memory in a vmcore as whole pages, from pieces of the file as they come: what is held is one page. */
import type { Load } from './core-outline.ts'
import { pageBytes } from './expected-page.ts'

const page = BigInt(pageBytes)

/** Bytes of the file that lie at `offset`. */
export interface FilePiece {
  readonly offset: number
  readonly bytes: Uint8Array
}

export interface FileRange {
  readonly start: number
  readonly end: number
}

/** Gaps that are read through rather than asked for on their own: 1 MiB. */
const gapBytesMax = 16 * pageBytes

/** The parts of the file that hold all of every page that `ranges` touch, ascending, neighbours joined. */
export function wholePages(ranges: readonly FileRange[], loads: readonly Load[]): FileRange[] {
  const whole = ranges.flatMap((range) => loads.flatMap((load) => pagesIn(range, load)))
  whole.sort((a, b) => a.start - b.start)
  const joined: FileRange[] = []
  for (const range of whole) {
    const last = joined.at(-1)
    if (last !== undefined && range.start <= last.end + gapBytesMax) {
      joined[joined.length - 1] = { start: last.start, end: Math.max(last.end, range.end) }
    } else joined.push(range)
  }
  return joined
}

/** The part of a load that a range touches, in pages of memory. */
function pagesIn({ start, end }: FileRange, load: Load): FileRange[] {
  const from = Math.max(start, load.offset)
  const to = Math.min(end, load.offset + Number(load.size))
  if (from >= to) return []
  const first = load.address + BigInt(from - load.offset)
  const last = load.address + BigInt(to - load.offset)
  const low = most(first - (first % page), load.address)
  const high = least(last + ((page - (last % page)) % page), load.address + load.size)
  return [
    {
      start: load.offset + Number(low - load.address),
      end: load.offset + Number(high - load.address),
    },
  ]
}

/** Cuts pieces that come in the order of the file into pages; what a load has of a page is told as all of it, the rest 0. */
export class PageCutter {
  readonly #loads: readonly Load[]
  readonly #take: (page: bigint, bytes: Uint8Array) => void
  #bytes = new Uint8Array(pageBytes)
  #number: bigint | undefined

  constructor(loads: readonly Load[], take: (page: bigint, bytes: Uint8Array) => void) {
    this.#loads = loads
    this.#take = take
  }

  piece({ offset, bytes }: FilePiece): void {
    for (const load of this.#loads) {
      const from = Math.max(offset, load.offset)
      const to = Math.min(offset + bytes.byteLength, load.offset + Number(load.size))
      if (from >= to) continue
      const address = load.address + BigInt(from - load.offset)
      this.#memory(address, bytes.subarray(from - offset, to - offset))
    }
  }

  /** Tells the last page. */
  end(): void {
    if (this.#number === undefined) return
    this.#take(this.#number, this.#bytes)
    this.#number = undefined
  }

  #memory(address: bigint, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.byteLength;) {
      const at = address + BigInt(done)
      const number = at / page
      const within = Number(at % page)
      const length = Math.min(pageBytes - within, bytes.byteLength - done)
      if (number !== this.#number) this.#begin(number)
      this.#bytes.set(bytes.subarray(done, done + length), within)
      done += length
      if (within + length === pageBytes) this.end()
    }
  }

  #begin(number: bigint): void {
    this.end()
    this.#number = number
    this.#bytes = new Uint8Array(pageBytes)
  }
}

function most(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}
