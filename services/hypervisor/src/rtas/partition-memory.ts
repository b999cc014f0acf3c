/** Reading what an RTAS argument points to. */
import type { ReadPartitionMemory } from '@fadump-lab/shared/fadump'
import { advance, type RealAddress } from '@fadump-lab/shared/units'
import type { RtasRequest } from './rtas-request.ts'

/** Memory of the calling partition; `undefined` for a range that is not wholly in it. */
export function memoryReader({ held, deps }: RtasRequest): ReadPartitionMemory {
  const end = held.record.memoryBytes
  return async (address: RealAddress, length: number) =>
    advance(address, length) > end ? undefined : deps.store.read(held.space, address, length)
}
