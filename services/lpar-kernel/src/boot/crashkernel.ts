/**
 * Where Linux falls back to kexec-based kdump: `reserve_crashkernel`, called when `fadump_reserve_mem` has reserved
 * nothing (C083). The memory is taken and the line is logged; no kernel is ever loaded there.
 */
import { crashkernelOf, memparse, type KernelArguments } from '@fadump-lab/shared/fadump'
import {
  alignUp,
  byteLength,
  MiB,
  overlaps,
  rangeLength,
  rangeOf,
  type MemoryRange,
} from '@fadump-lab/shared/units'
import { kernelEnd } from '../memory/kernel-image.ts'
import type { BootContext } from './boot-context.ts'

export interface CrashkernelReservation {
  /** `crashk_res`; absent when nothing is asked for, or the place is not free. */
  readonly area?: MemoryRange
  readonly log: readonly string[]
}

/** The middle of the real mode area, at most here: a crash kernel must find room in the first segment. */
const placeMax = { v5: 2048n * MiB, modern: 512n * MiB } as const

/** Nothing, when fadump is enabled. */
export function reserveCrashkernel(
  context: Pick<BootContext, 'facts' | 'profile' | 'partition'>,
  plan: { readonly isEnabled: boolean; readonly kernelArguments: KernelArguments },
): CrashkernelReservation {
  if (plan.isEnabled) return { log: [] }
  const { facts, profile, partition } = context
  const memory = facts.memoryRegions.reduce((sum, region) => sum + rangeLength(region), 0n)
  const { size, log } = crashkernelOf(plan.kernelArguments, byteLength(memory))
  if (size === 0n) return { log }
  const asked = offsetOf(plan.kernelArguments)
  const start = asked > 0n ? asked : middle(context)
  const area = rangeOf(start, alignUp(size, profile.pageSize))
  if (overlaps(area, rangeOf(0n, kernelEnd(partition.processors)))) {
    return { log: [...log, 'Crash kernel can not overlap current kernel'] }
  }
  return { area, log: [...log, lines[profile.name](area, memory)] }
}

/** `size@offset`: unlike fadump, kdump heeds it. */
function offsetOf({ crashkernel = '' }: KernelArguments): bigint {
  const at = crashkernel.indexOf('@')
  return at < 0 ? 0n : memparse(crashkernel.slice(at + 1)).value
}

function middle({ facts, profile }: Pick<BootContext, 'facts' | 'profile'>): bigint {
  const most = placeMax[profile.name]
  // Radix has no real mode area that would bound anything.
  const half = profile.mmu === 'radix' ? most : facts.rmaSize / 2n
  return half < most ? half : most
}

const lines = {
  v5: (area: MemoryRange, memory: bigint) =>
    `Reserving ${rangeLength(area) / MiB}MB of memory at ${area.start / MiB}MB for crashkernel (System RAM: ${memory / MiB}MB)`,
  // `%#018llx`.
  modern: (area: MemoryRange) =>
    `crashkernel reserved: ${address18(area.start)} - ${address18(area.end)} (${rangeLength(area) / MiB} MB)`,
} as const

function address18(value: bigint): string {
  return `0x${value.toString(16).padStart(16, '0')}`
}
