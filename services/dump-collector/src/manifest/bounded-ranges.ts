/** Ascending ranges of a file, at most so many: touching ones are one, and beyond the bound the nearest are joined. */
import { byteLength, invariant, type ByteLength } from '@fadump-lab/shared/units'

export interface FileRange {
  readonly offset: ByteLength
  readonly length: ByteLength
}

/**
 * Exact up to `countMax` ranges. Beyond, the two with the smallest gap become one: what is said to be missing then
 * includes bytes that are there, but nothing that is missing is ever left out.
 */
export class BoundedRanges {
  readonly #countMax: number
  readonly #ranges: { start: bigint; end: bigint }[] = []

  constructor(countMax: number) {
    invariant(countMax >= 1, `room for at least one range is needed, not ${countMax}`)
    this.#countMax = countMax
  }

  /** Ranges are added in ascending order. */
  add(start: bigint, end: bigint): void {
    const last = this.#ranges.at(-1)
    invariant(last === undefined || start >= last.end, `range at ${start} is out of order`)
    if (last?.end === start) last.end = end
    else this.#ranges.push({ start, end })
    if (this.#ranges.length > this.#countMax) this.#joinNearest()
  }

  get ranges(): readonly FileRange[] {
    return this.#ranges.map(({ start, end }) => ({
      offset: byteLength(start),
      length: byteLength(end - start),
    }))
  }

  #joinNearest(): void {
    let nearest = 1
    for (let index = 2; index < this.#ranges.length; index++) {
      if (this.#gapBefore(index) < this.#gapBefore(nearest)) nearest = index
    }
    const [joined] = this.#ranges.splice(nearest, 1)
    const before = this.#ranges[nearest - 1]
    if (joined !== undefined && before !== undefined) before.end = joined.end
  }

  #gapBefore(index: number): bigint {
    return (this.#ranges[index]?.start ?? 0n) - (this.#ranges[index - 1]?.end ?? 0n)
  }
}
