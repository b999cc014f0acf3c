/**
 * What a commit does to pages.
 *
 * Each page of the space has exactly one fate: it is cleared, it takes over another page as a whole (a reference moves,
 * no byte does), or it is composed from pieces. Pages that are not mentioned stay as they are.
 */
import { invariant } from '../../units/index.ts'
import { pageSize } from '../memory-store.ts'
import { cut, type Origin, type Segment } from './segments.ts'

/** `count` pages from page number `first` on. */
export interface PageRun {
  readonly first: number
  readonly count: number
}

/** Pages `target …` become the pages that `source …` was before. */
export interface SharedRun {
  readonly source: number
  readonly target: number
  readonly count: number
}

/** Pages `first …` become the bytes from `source` on, which is not page-aligned. */
export interface ShiftedRun extends PageRun {
  readonly source: bigint
}

/** `length` bytes at offset `at` of a page. */
export interface Piece {
  readonly at: number
  readonly length: number
  readonly origin: Origin
}

/** A page to be composed: its own content as it was before (unless pieces cover it), then `pieces`. */
export interface ComposedPage {
  readonly page: number
  readonly pieces: readonly Piece[]
}

export interface PagePlan {
  readonly cleared: readonly PageRun[]
  readonly shared: readonly SharedRun[]
  readonly shifted: readonly ShiftedRun[]
  /** Ascending by page. */
  readonly composed: readonly ComposedPage[]
}

const pageBytes = BigInt(pageSize)

/** The number of the page that holds `address`. */
export function pageOf(address: bigint): number {
  return Number(address / pageBytes)
}

export function pageStart(page: number): bigint {
  return BigInt(page) * pageBytes
}

/** The plan that carries out `segments`, which are disjoint and ascending. */
export function planPages(segments: readonly Segment[]): PagePlan {
  const builder = new PagePlanBuilder()
  for (const segment of segments) builder.add(segment)
  return builder.plan
}

class PagePlanBuilder {
  readonly #cleared: PageRun[] = []
  readonly #shared: SharedRun[] = []
  readonly #shifted: ShiftedRun[] = []
  readonly #composed: { page: number; pieces: Piece[] }[] = []

  get plan(): PagePlan {
    return {
      cleared: this.#cleared,
      shared: this.#shared,
      shifted: this.#shifted,
      composed: this.#composed,
    }
  }

  /** Splits `segment` into a partial page, whole pages and a partial page; each may be missing. */
  add(segment: Segment): void {
    const firstWhole = pageOf(segment.start + pageBytes - 1n)
    const endWhole = pageOf(segment.end)
    if (firstWhole > endWhole) {
      this.#addPiece(segment)
      return
    }
    if (segment.start < pageStart(firstWhole)) {
      this.#addPiece(cut(segment, segment.start, pageStart(firstWhole)))
    }
    if (firstWhole < endWhole) {
      this.#addWhole(cut(segment, pageStart(firstWhole), pageStart(endWhole)))
    }
    if (pageStart(endWhole) < segment.end) {
      this.#addPiece(cut(segment, pageStart(endWhole), segment.end))
    }
  }

  #addWhole({ start, end, origin }: Segment): void {
    const first = pageOf(start)
    const count = pageOf(end) - first
    switch (origin.kind) {
      case 'zeros':
        this.#cleared.push({ first, count })
        break
      case 'memory':
        if (origin.source % pageBytes === 0n) {
          this.#shared.push({ source: pageOf(origin.source), target: first, count })
        } else {
          this.#shifted.push({ first, count, source: origin.source })
        }
        break
      case 'bytes':
        for (let page = first; page < first + count; page += 1) {
          this.#addPiece(cut({ start, end, origin }, pageStart(page), pageStart(page + 1)))
        }
    }
  }

  /** `piece` lies within one page. Segments come ascending, so its page is the last one or a new one. */
  #addPiece({ start, end, origin }: Segment): void {
    const page = pageOf(start)
    const piece = { at: Number(start - pageStart(page)), length: Number(end - start), origin }
    const last = this.#composed.at(-1)
    invariant(last === undefined || last.page <= page, 'segments must ascend')
    if (last?.page === page) last.pieces.push(piece)
    else this.#composed.push({ page, pieces: [piece] })
  }
}

/** Splits a shifted run into the pages that have a present page among their sources; the others become absent. */
export function* composeShifted(
  run: ShiftedRun,
  presentSources: Iterable<number>,
): Generator<ComposedPage> {
  const shift = pageOf(run.source) - run.first
  let done = run.first
  for (const source of presentSources) {
    // A source page feeds two target pages: its tail the first of them, its head the one before.
    const first = Math.max(done, source - shift - 1)
    const end = Math.min(run.first + run.count, source - shift + 1)
    for (let page = first; page < end; page += 1) yield shiftedPage(run, page)
    done = Math.max(done, end)
  }
}

/** The source pages that a shifted run reads. */
export function shiftedSources(run: ShiftedRun): PageRun {
  return { first: pageOf(run.source), count: run.count + 1 }
}

function shiftedPage(run: ShiftedRun, page: number): ComposedPage {
  const source = run.source + pageStart(page - run.first)
  return { page, pieces: [{ at: 0, length: pageSize, origin: { kind: 'memory', source } }] }
}
