/** What the next boot of a partition finds: changed while it runs, or while its dump waits for another try. */
import type { BootSettings, Partition } from '@fadump-lab/shared/contracts'
import { checkNewPartition } from './new-partition.ts'
import type { Partitions } from './partitions.ts'

/** Errors: `not-found`, `invalid-configuration` as for a new partition. */
export async function changeBootSettings(
  partitions: Partitions,
  id: string,
  request: { readonly settings: BootSettings; readonly correlationId: string },
): Promise<Partition> {
  const { settings, correlationId } = request
  const { partition } = await partitions.update(id, correlationId, ({ record }) => {
    const { bootArguments, captureTarget, capture } = settings
    const next = {
      ...record,
      ...(bootArguments === undefined ? {} : { bootArguments }),
      ...(captureTarget === undefined ? {} : { captureTarget }),
      ...(capture === undefined ? {} : { capture }),
    }
    checkNewPartition(next)
    return {
      result: undefined,
      record: next,
      transitions: [{ aggregate: 'partition', event: 'bootSettingsChanged' }],
    }
  })
  return partition
}
