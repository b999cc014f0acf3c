/** Ranges of present pages, as `populated` reports them. */
import { memoryRange, realAddress } from '../units/index.ts'
import { pageStart } from './change/page-plan.ts'
import type { PopulatedPage } from './memory-store.ts'

/** Joins ascending page numbers to at most `limit` ranges; `next` is set when pages are left over. */
export function joinPages(pages: Iterable<number>, limit: number): PopulatedPage {
  const runs: { first: number; end: number }[] = []
  let next: number | undefined
  for (const page of pages) {
    const last = runs.at(-1)
    if (last?.end === page) {
      last.end += 1
    } else if (runs.length === limit) {
      next = page
      break
    } else {
      runs.push({ first: page, end: page + 1 })
    }
  }
  const ranges = runs.map(({ first, end }) => memoryRange(pageStart(first), pageStart(end)))
  return next === undefined ? { ranges } : { ranges, next: realAddress(pageStart(next)) }
}
