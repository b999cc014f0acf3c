/** One thing that can go wrong, and what holds it. */

/** A test file, and text of it: a title, or the part of one that does not vary. */
export type Proof = readonly [file: string, title: string]

export interface FailureRow {
  readonly statement: string
  readonly tests?: readonly Proof[]
  /** Words of the sentence of docs/limits.md that says what no test holds. */
  readonly limit?: string
}
