/** A sparse page table in leaves of 256 MiB, as the Redis store keeps it, over reference-counted pages. */
import { invariant } from '../../units/index.ts'
import { leafOf, leafPages } from '../leaf.ts'
import { pageId, type PageId } from '../page-id.ts'

/** A page that spaces refer to. Its content does not change once it has a name or a second reference. */
export interface Page {
  /** Works it out when nobody has asked before. */
  readonly id: PageId
  readonly body: Uint8Array
  references: number
}

/** One content, however many pages have it. */
interface Content {
  readonly body: Uint8Array
  pages: number
}

/**
 * Pages of a frame that have no name yet: 16 MiB. Working out a name costs more than all else a write does, and most
 * pages are written again before anybody has a use for it.
 */
export const youngPagesMax = 256

/** The pages of a frame; equal ones are stored once as soon as they are named. */
export class PagePool {
  readonly #contents = new Map<PageId, Content>()
  /** The oldest first. */
  readonly #young = new Set<PooledPage>()

  /** Distinct contents; gives every page a name. */
  get size(): number {
    for (const page of this.#young) this.#name(page)
    return this.#contents.size
  }

  /** A page with this body and one reference. Only `ownBody` may change it afterwards. */
  acquire(body: Uint8Array): Page {
    const page = new PooledPage(body, (young) => this.#name(young))
    this.#young.add(page)
    const [oldest] = this.#young
    if (this.#young.size > youngPagesMax && oldest !== undefined) this.#name(oldest)
    return page
  }

  /** The body of a page that has one reference and no name: whoever holds that reference may change it. */
  ownBody(page: Page): Uint8Array | undefined {
    const isOwn = page instanceof PooledPage && page.references === 1 && this.#young.has(page)
    return isOwn ? page.body : undefined
  }

  share(page: Page): Page {
    page.references += 1
    return page
  }

  release(page: Page): void {
    invariant(page.references > 0, 'a page is released more often than it is held')
    page.references -= 1
    if (page.references > 0 || !(page instanceof PooledPage)) return
    if (this.#young.delete(page)) return
    const content = this.#contents.get(page.id)
    if (content === undefined) return
    content.pages -= 1
    if (content.pages === 0) this.#contents.delete(page.id)
  }

  #name(page: PooledPage): PageId {
    this.#young.delete(page)
    const id = pageId(page.body)
    const content = this.#contents.get(id) ?? { body: page.body, pages: 0 }
    this.#contents.set(id, content)
    content.pages += 1
    page.settle(id, content.body)
    return id
  }
}

class PooledPage implements Page {
  references = 1
  #body: Uint8Array
  #id: PageId | undefined
  readonly #name: (page: PooledPage) => PageId

  constructor(body: Uint8Array, name: (page: PooledPage) => PageId) {
    this.#body = body
    this.#name = name
  }

  get body(): Uint8Array {
    return this.#body
  }

  get id(): PageId {
    return this.#id ?? this.#name(this)
  }

  /** From here on the body is the one that all pages with this name share. */
  settle(id: PageId, body: Uint8Array): void {
    this.#id = id
    this.#body = body
  }
}

/** The present pages of a leaf by their place in it. */
type Leaf = Map<number, Page>

/** The pages of one space; each entry holds one reference. */
export class PageTable {
  readonly #pool: PagePool
  readonly #leaves = new Map<number, Leaf>()
  #count = 0

  constructor(pool: PagePool) {
    this.#pool = pool
  }

  /** Pages that are present. */
  get count(): number {
    return this.#count
  }

  get(page: number): Page | undefined {
    return this.#leaves.get(leafOf(page))?.get(page % leafPages)
  }

  /** Puts `next`, whose reference passes to the table, in place of what is there; `undefined` makes the page absent. */
  set(page: number, next: Page | undefined): void {
    const number = leafOf(page)
    const leaf = this.#leaves.get(number) ?? this.#addLeaf(number, next)
    if (leaf === undefined) return
    const slot = page % leafPages
    const present = leaf.get(slot)
    if (next === undefined) leaf.delete(slot)
    else leaf.set(slot, next)
    this.#count += Number(next !== undefined) - Number(present !== undefined)
    if (present !== undefined) this.#pool.release(present)
  }

  /** Present pages `first ≤ number < end`, ascending, as they are now. */
  *present(first: number, end: number): Generator<number> {
    const numbers = [...this.#leaves.keys()].toSorted((a, b) => a - b)
    for (const number of numbers) {
      const start = number * leafPages
      const from = Math.max(0, first - start)
      const to = Math.min(leafPages, end - start)
      if (from >= to) continue
      for (const slot of slotsOf(this.#leaves.get(number), from, to)) yield start + slot
    }
  }

  /** Gives every reference back. */
  clear(): void {
    for (const leaf of this.#leaves.values()) {
      for (const page of leaf.values()) this.#pool.release(page)
    }
    this.#leaves.clear()
    this.#count = 0
  }

  #addLeaf(number: number, next: Page | undefined): Leaf | undefined {
    if (next === undefined) return undefined
    const leaf: Leaf = new Map()
    this.#leaves.set(number, leaf)
    return leaf
  }
}

/** Present slots `from ≤ slot < to`, ascending: looked for one by one, or picked from all, whichever are fewer. */
function slotsOf(leaf: Leaf | undefined, from: number, to: number): readonly number[] {
  if (leaf === undefined) return []
  if (to - from > leaf.size) {
    return [...leaf.keys()].filter((slot) => from <= slot && slot < to).toSorted((a, b) => a - b)
  }
  const slots: number[] = []
  for (let slot = from; slot < to; slot += 1) if (leaf.has(slot)) slots.push(slot)
  return slots
}
