/** The `memory@` nodes of the fake firmware's device tree: what there is, without holes, and what was added. */
import type { Partition } from '@fadump-lab/shared/contracts'
import { deviceNode, fromCells64, fromText, type DeviceNode } from '@fadump-lab/shared/fdt'
import {
  memoryRange,
  rangeLength,
  rangeOf,
  subtract,
  type MemoryRange,
} from '@fadump-lab/shared/units'

export function memoryNodes(partition: Partition, memoryBytes: bigint): DeviceNode[] {
  const { rmaBytes, memoryHoles, addedMemory } = partition
  const present = [memoryRange(0n, rmaBytes), memoryRange(rmaBytes, memoryBytes)]
    .flatMap((range) => withoutHoles(range, memoryHoles))
    .map(({ start, end }) =>
      deviceNode(`memory@${start.toString(16)}`, {
        device_type: fromText('memory'),
        reg: fromCells64(start, end - start),
      }),
    )
  const added = addedMemory.map(({ address, length }) =>
    deviceNode(`memory@${address.toString(16)}`, {
      device_type: fromText('memory'),
      reg: fromCells64(address, length),
      hotpluggable: new Uint8Array(0),
    }),
  )
  return [...present, ...added]
}

function withoutHoles(range: MemoryRange, holes: Partition['memoryHoles']): MemoryRange[] {
  return holes.reduce<MemoryRange[]>(
    (rest, { address, length }) => rest.flatMap((part) => subtract(part, rangeOf(address, length))),
    rangeLength(range) > 0n ? [range] : [],
  )
}
