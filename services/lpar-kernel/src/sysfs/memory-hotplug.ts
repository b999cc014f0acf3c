/**
 * Memory is added and removed in logical memory blocks of 256 MiB, while the kernel runs. What a registered dump needs
 * stays (C139): `is_fadump_memory_area` of 6.10; 3.4 has no such check.
 */
import {
  coalesce,
  memoryRange,
  MiB,
  overlaps,
  rangeLength,
  rangeOf,
  subtract,
  type MemoryRange,
} from '@fadump-lab/shared/units'
import { errnoProblem } from '../kernel/errno.ts'
import type { KernelRecord } from '../kernel/kernel-record.ts'
import type { RunningKernel } from '../kernel/running-kernel.ts'

const path = '/sys/kernel/dlpar'
const blockBytes = 256n * MiB
/** Index of a dynamic reconfiguration connector of a memory block: this, and the block's number. */
const indexBase = 0x8000_0000n

/** How the blocks are named: by number, or by the index of their connector. */
export type BlockSelection = { readonly count: number } | { readonly index: bigint }

/**
 * `memory add|remove …` of /sys/kernel/dlpar. Errors: EINVAL for blocks that there are not and for blocks that fadump
 * needs; EBUSY while a dump is active.
 */
export async function changeMemory(
  kernel: RunningKernel,
  action: 'add' | 'remove',
  blocks: BlockSelection,
): Promise<void> {
  if (kernel.record.fadump.isDumpActive) {
    throw errnoProblem('EBUSY', path, 'memory holds a dump; release it first')
  }
  if (action === 'add') return addBlocks(kernel, blocks)
  if ('index' in blocks) return removeBlock(kernel, blocks.index)
  throw invalid('memory is removed by index here: "memory remove index I"')
}

function invalid(why: string): Error {
  return errnoProblem('EINVAL', path, why)
}

function indexOf(block: MemoryRange): string {
  return (indexBase + block.start / blockBytes).toString(16)
}

/** Whole blocks that this partition may have and has not. */
function absentBlocks(record: KernelRecord): MemoryRange[] {
  const end = record.memory?.maximumBytes ?? 0n
  const count = Number(end / blockBytes)
  return Array.from({ length: count }, (_, number) =>
    rangeOf(BigInt(number) * blockBytes, blockBytes),
  ).filter((block) => !record.memoryRegions.some((region) => overlaps(region, block)))
}

async function addBlocks(kernel: RunningKernel, asked: BlockSelection): Promise<void> {
  const { record } = kernel
  const free = absentBlocks(record)
  const blocks =
    'count' in asked
      ? free.slice(0, asked.count)
      : free.filter(({ start }) => indexBase + start / blockBytes === asked.index)
  const wanted = 'count' in asked ? asked.count : 1
  if (wanted < 1 || blocks.length < wanted) {
    throw invalid(
      `${free.length} blocks of 256 MiB can be added, up to maximumMemoryBytes of the partition`,
    )
  }
  await assign(kernel, [...record.memoryRegions, ...blocks])
  await kernel.printk([
    `pseries-hotplug-mem: Attempting to hot-add ${blocks.length} LMB(s)`,
    ...blocks.map(
      (block) =>
        `pseries-hotplug-mem: Memory at ${block.start.toString(16)} (drc index ${indexOf(block)}) was hot-added`,
    ),
  ])
}

async function removeBlock(kernel: RunningKernel, index: bigint): Promise<void> {
  const { record } = kernel
  const block = rangeOf((index < indexBase ? 0n : index - indexBase) * blockBytes, blockBytes)
  const hex = block.start.toString(16)
  await kernel.printk([
    `pseries-hotplug-mem: Attempting to hot-remove LMB, drc index ${index.toString(16)}`,
  ])
  const isThere = record.memoryRegions.some(
    ({ start, end }) => start <= block.start && block.end <= end,
  )
  const reason =
    index < indexBase || !isThere
      ? 'the partition has no such block'
      : block.start === 0n
        ? 'the kernel itself is there'
        : isDumpMemory(record, block)
          ? 'a registered dump needs it; write 0 to fadump_registered first'
          : undefined
  if (reason !== undefined) {
    await kernel.printk([`pseries-hotplug-mem: Failed to hot-remove memory at ${hex}`])
    throw invalid(`block ${index.toString(16)}: ${reason}`)
  }
  await assign(
    kernel,
    record.memoryRegions.flatMap((region) => subtract(region, block)),
  )
  await kernel.printk([
    `pseries-hotplug-mem: Memory at ${hex} (drc index ${indexOf(block)}) was hot-removed`,
  ])
}

/** `is_fadump_memory_area`, its inclusive ends included. */
function isDumpMemory({ profile, fadump }: KernelRecord, block: MemoryRange): boolean {
  const { isRegistered, area, bootMemoryTop } = fadump
  if (profile === 'v5' || !isRegistered || area === undefined) return false
  if (block.end > area.start && block.start <= area.end) return true
  return block.start <= bootMemoryTop
}

/** Firmware first: what it refuses does not happen. */
async function assign(kernel: RunningKernel, regions: readonly MemoryRange[]): Promise<void> {
  const configured = memoryRange(0n, kernel.record.memory?.configuredBytes ?? 0n)
  const memoryHoles = regions.reduce<MemoryRange[]>(
    (rest, region) => rest.flatMap((part) => subtract(part, region)),
    [configured],
  )
  const memoryRegions = regions.toSorted((a, b) => (a.start < b.start ? -1 : 1))
  await kernel.firmware.assignMemory({
    memoryHoles: coalesce(memoryHoles.filter((hole) => rangeLength(hole) > 0n)),
    addedMemory: memoryRegions.filter(({ start }) => start >= configured.end),
  })
  await kernel.update({ memoryRegions })
}
