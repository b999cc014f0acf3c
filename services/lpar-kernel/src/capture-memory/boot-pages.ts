/**
 * The pages of boot memory and who holds each: extents of page numbers, lowest first. Nothing is written; what a capture
 * kernel of ours really writes lies in pages that are held.
 */
import { invariant } from '@fadump-lab/shared/units'

/** Pages `[start, end)`. */
interface Extent {
  readonly start: number
  readonly end: number
}

export class BootPages {
  readonly total: number
  #free: Extent[]
  #freePages: number
  readonly #held = new Map<string, Extent[]>()

  constructor(total: number) {
    invariant(Number.isSafeInteger(total) && total >= 0, `boot memory of ${total} pages`)
    this.total = total
    this.#free = total === 0 ? [] : [{ start: 0, end: total }]
    this.#freePages = total
  }

  get free(): number {
    return this.#freePages
  }

  /** Owners that hold anything, in the order in which they first took. */
  get owners(): readonly { readonly owner: string; readonly pages: number }[] {
    return [...this.#held.keys()]
      .map((owner) => ({ owner, pages: this.heldBy(owner) }))
      .filter(({ pages }) => pages > 0)
  }

  heldBy(owner: string): number {
    return lengthOf(this.#held.get(owner) ?? [])
  }

  /** Takes the lowest `pages` free pages; `false`, and nothing is taken, when there are fewer. */
  take(owner: string, pages: number): boolean {
    if (pages > this.#freePages) return false
    const taken: Extent[] = []
    let left = pages
    while (left > 0) {
      const [first, ...rest] = this.#free
      if (first === undefined) break
      const end = Math.min(first.end, first.start + left)
      taken.push({ start: first.start, end })
      this.#free = end === first.end ? rest : [{ start: end, end: first.end }, ...rest]
      left -= end - first.start
    }
    this.#freePages -= pages
    this.#held.set(owner, [...(this.#held.get(owner) ?? []), ...taken])
    return true
  }

  /** Gives back all that `owner` holds; the number of pages. */
  give(owner: string): number {
    const given = this.#held.get(owner) ?? []
    this.#held.delete(owner)
    const pages = lengthOf(given)
    this.#freePages += pages
    this.#free = joined([...this.#free, ...given])
    return pages
  }

  /** The owner of a page; undefined when it is free. */
  ownerOf(page: number): string | undefined {
    for (const [owner, extents] of this.#held) {
      if (extents.some(({ start, end }) => page >= start && page < end)) return owner
    }
    return undefined
  }

  /** Free pages by the order of the largest aligned block each lies in: `/proc/buddyinfo`, orders 0 to `orderMax`. */
  freeBlocks(orderMax: number): number[] {
    const blocks = Array.from({ length: orderMax + 1 }, () => 0)
    for (const { start, end } of this.#free) {
      for (let at = start; at < end;) {
        let order = 0
        while (order < orderMax && at % 2 ** (order + 1) === 0 && at + 2 ** (order + 1) <= end) {
          order += 1
        }
        blocks[order] = (blocks[order] ?? 0) + 1
        at += 2 ** order
      }
    }
    return blocks
  }
}

function lengthOf(extents: readonly Extent[]): number {
  return extents.reduce((sum, { start, end }) => sum + end - start, 0)
}

function joined(extents: readonly Extent[]): Extent[] {
  const result: Extent[] = []
  for (const extent of extents.toSorted((a, b) => a.start - b.start)) {
    const last = result.at(-1)
    if (last !== undefined && last.end === extent.start) {
      result[result.length - 1] = { start: last.start, end: extent.end }
    } else result.push(extent)
  }
  return result
}
