/** Requests of a kernel carry the generation of its boot: one of an earlier boot must change nothing. */
import { Problem } from '@fadump-lab/shared/contracts'
import type { Held } from './partitions.ts'

/** Errors: `stale-boot` when `epoch` is not the generation of the present boot. */
export function requirePresentBoot({ record, epoch }: Held, asked: number): void {
  if (epoch === asked) return
  throw new Problem(
    'stale-boot',
    `boot ${asked} of partition ${record.id} is over; the present one is ${epoch}`,
    { extensions: { epoch } },
  )
}
