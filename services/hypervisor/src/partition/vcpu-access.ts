/** Reading and replacing the contexts of a partition's virtual CPUs. */
import { Problem, records, type Vcpu } from '@fadump-lab/shared/contracts'
import { recordBytesMax, StoreError } from '@fadump-lab/shared/store'
import type { HypervisorContext } from '../deps.ts'
import { requirePresentBoot } from './present-boot.ts'
import type { Held, Partitions } from './partitions.ts'
import { decodeVcpus, encodeVcpus, mergeVcpus } from './vcpus.ts'

interface Given {
  readonly deps: Pick<HypervisorContext, 'store'>
  readonly partitions: Partitions
}

/** The contexts of all CPUs. Errors: `not-found`. */
export async function getVcpus({ deps, partitions }: Given, id: string): Promise<Vcpu[]> {
  const held = await partitions.read(id)
  const { value } = await deps.store.readRecord(held.space, records.vcpus)
  return decodeVcpus(value, held.record)
}

/** Errors: `not-found`, `stale-boot`, `invalid-request`, `payload-too-large`. */
export async function putVcpus(
  { deps, partitions }: Given,
  id: string,
  update: {
    readonly epoch: number
    readonly vcpus: readonly Vcpu[]
    readonly correlationId: string
  },
): Promise<void> {
  await partitions.update(id, update.correlationId, async (held) => {
    requirePresentBoot(held, update.epoch)
    const present = decodeVcpus(await readRecord(deps, held, 'vcpus'), held.record)
    const text = encodeVcpus(mergeVcpus(present, update.vcpus))
    if (text.length > recordBytesMax) {
      throw new Problem(
        'payload-too-large',
        `the contexts of all CPUs take ${text.length} bytes, at most ${recordBytesMax} are kept`,
      )
    }
    return { result: undefined, record: held.record, vcpus: text }
  })
}

/** The record `name` as it was when the partition was read: a commit in between shows in the version. */
export async function readRecord(
  { store }: Pick<HypervisorContext, 'store'>,
  held: Held,
  name: 'vcpus' | 'tces',
): Promise<string | undefined> {
  const { value, version } = await store.readRecord(held.space, records[name])
  if (version !== held.version) {
    throw new StoreError('version-conflict', `${held.space.space} changed while it was read`)
  }
  return value
}
