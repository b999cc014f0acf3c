/** Dynamic reconfiguration of memory: blocks are added above `memoryBytes`, and taken away anywhere. */
import {
  Problem,
  type MemoryAssignment,
  type MemoryHole,
  type Partition,
} from '@fadump-lab/shared/contracts'
import { memoryRange, rangeOf, subtract, type MemoryRange } from '@fadump-lab/shared/units'
import { requirePresentBoot } from './present-boot.ts'
import type { FirmwareRecord } from './firmware-record.ts'
import type { Partitions } from './partitions.ts'

/** Errors: `not-found`, `stale-boot`, `invalid-configuration`. */
export async function assignMemory(
  partitions: Partitions,
  id: string,
  request: { readonly assignment: MemoryAssignment; readonly correlationId: string },
): Promise<Partition> {
  const { epoch, memoryHoles, addedMemory } = request.assignment
  const { partition } = await partitions.update(id, request.correlationId, (held) => {
    requirePresentBoot(held, epoch)
    const { record } = held
    const end = record.maximumMemoryBytes ?? record.memoryBytes
    requireOrder(memoryHoles, memoryRange(0n, record.memoryBytes), id)
    requireOrder(addedMemory, memoryRange(record.memoryBytes, end), id)
    return {
      result: undefined,
      record: { ...record, memoryHoles, addedMemory },
      memory: { clears: absent({ ...record, memoryHoles, addedMemory }, end) },
    }
  })
  return partition
}

function requireOrder(blocks: readonly MemoryHole[], within: MemoryRange, id: string): void {
  let lastEnd: bigint = within.start
  for (const { address, length } of blocks) {
    if (address < lastEnd || length === 0n || address + length > within.end) {
      throw new Problem(
        'invalid-configuration',
        `partition ${id}: memory blocks must be ascending, apart from each other, and inside ` +
          `0x${within.start.toString(16)}-0x${within.end.toString(16)}; give the partition a larger maximumMemoryBytes`,
      )
    }
    lastEnd = address + length
  }
}

function absent(
  { memoryBytes, memoryHoles, addedMemory }: FirmwareRecord,
  end: bigint,
): MemoryRange[] {
  const above = addedMemory.reduce<MemoryRange[]>(
    (rest, { address, length }) => rest.flatMap((part) => subtract(part, rangeOf(address, length))),
    memoryBytes < end ? [memoryRange(memoryBytes, end)] : [],
  )
  return [...memoryHoles.map(({ address, length }) => rangeOf(address, length)), ...above]
}
