/** What reading a vmcore back has found, entry by entry of its manifest. */
import type { FileRange } from '../manifest/bounded-ranges.ts'

export interface Verification {
  readonly entries: number
  /** Entries whose bytes have the digest. */
  readonly good: number
  /** What the other entries cover. */
  readonly bad: readonly FileRange[]
}
