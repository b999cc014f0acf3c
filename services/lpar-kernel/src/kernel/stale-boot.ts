/** What jobs of a boot run into when that boot is over: they are dropped, whoever has ended it. */
import { isProblem } from '@fadump-lab/shared/contracts'
import { StoreError } from '@fadump-lab/shared/store'

/** Whether the boot, or the whole partition, is gone. */
export function isStaleBoot(error: unknown): boolean {
  return (
    isProblem(error, 'stale-boot', 'not-found') ||
    (error instanceof StoreError &&
      (error.code === 'stale-epoch' || error.code === 'no-such-space'))
  )
}
