/** A sparse page table in leaves of 256 MiB, as the Redis store keeps it, over reference-counted pages. */
import { invariant } from '../../units/index.ts'
import { leafOf, leafPages } from '../leaf.ts'
import { pageId, type PageId } from '../page-id.ts'

/** One distinct page of a frame. Its body never changes. */
export interface Page {
  readonly id: PageId
  readonly body: Uint8Array
  references: number
}

/** The distinct pages of a frame. */
export class PagePool {
  readonly #pages = new Map<PageId, Page>()

  get size(): number {
    return this.#pages.size
  }

  /** The page with this body, with one more reference. `body` must not change afterwards. */
  acquire(body: Uint8Array): Page {
    const id = pageId(body)
    const page = this.#pages.get(id) ?? { id, body, references: 0 }
    this.#pages.set(id, page)
    return this.share(page)
  }

  share(page: Page): Page {
    page.references += 1
    return page
  }

  release(page: Page): void {
    invariant(page.references > 0, `page ${page.id} is released more often than it is held`)
    page.references -= 1
    if (page.references === 0) this.#pages.delete(page.id)
  }
}

/** The pages of one space; each entry holds one reference. */
export class PageTable {
  readonly #pool: PagePool
  readonly #leaves = new Map<number, (Page | undefined)[]>()
  #count = 0

  constructor(pool: PagePool) {
    this.#pool = pool
  }

  /** Pages that are present. */
  get count(): number {
    return this.#count
  }

  get(page: number): Page | undefined {
    return this.#leaves.get(leafOf(page))?.[page % leafPages]
  }

  /** Puts `next`, whose reference passes to the table, in place of what is there; `undefined` makes the page absent. */
  set(page: number, next: Page | undefined): void {
    const number = leafOf(page)
    const leaf = this.#leaves.get(number) ?? this.#addLeaf(number, next)
    if (leaf === undefined) return
    const present = leaf[page % leafPages]
    leaf[page % leafPages] = next
    this.#count += Number(next !== undefined) - Number(present !== undefined)
    if (present !== undefined) this.#pool.release(present)
  }

  /** Present pages `first ≤ number < end`, ascending. */
  *present(first: number, end: number): Generator<number> {
    const numbers = [...this.#leaves.keys()].toSorted((a, b) => a - b)
    for (const number of numbers) {
      const leaf = this.#leaves.get(number) ?? []
      const start = number * leafPages
      const from = Math.max(0, first - start)
      const to = Math.min(leaf.length, end - start)
      for (let slot = from; slot < to; slot += 1) if (leaf[slot] !== undefined) yield start + slot
    }
  }

  /** Gives every reference back. */
  clear(): void {
    for (const leaf of this.#leaves.values()) {
      for (const page of leaf) if (page !== undefined) this.#pool.release(page)
    }
    this.#leaves.clear()
    this.#count = 0
  }

  #addLeaf(number: number, next: Page | undefined): (Page | undefined)[] | undefined {
    if (next === undefined) return undefined
    const leaf: (Page | undefined)[] = []
    this.#leaves.set(number, leaf)
    return leaf
  }
}
