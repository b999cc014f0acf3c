/**
 * Whether a capture kernel gets along with its boot memory: phase by phase, what is used then, against what is there.
 * A first budget with the preset of 2011 for both profiles; the numbers and their sources are in the preset's table.
 *
 * The story it tells: with 256 MiB a dump over the network dies when the link goes up, because ehea fills the receive
 * rings of all queue pairs; with 320 MiB it lives; a local dump lives with either.
 */
import { describeLength, MiB } from '@fadump-lab/shared/units'
import { ehea, eheaReceiveQueues, preset2011 as preset } from './memory-preset-2011.ts'

export const memoryPhases = [
  'kernel',
  'initramfs',
  'user space',
  'udev',
  'network modules',
  'link up',
  'transfer',
] as const
export type MemoryPhase = (typeof memoryPhases)[number]

export interface CaptureSystem {
  /** All memory of the partition: under fadump the memory map covers all of it, not only boot memory. */
  readonly memoryBytes: bigint
  readonly bootMemory: bigint
  readonly cpus: number
  readonly pageSize: number
  readonly target: 'network' | 'local'
}

export interface PhaseUse {
  readonly phase: MemoryPhase
  /** In use at the peak of the phase, MiB. */
  readonly usedMiB: number
}

export type MemoryOutcome =
  | { readonly fits: true; readonly phases: readonly PhaseUse[]; readonly availableMiB: number }
  | {
      readonly fits: false
      readonly phases: readonly PhaseUse[]
      readonly failed: MemoryPhase
      /** What the phase needs, with what must stay free, MiB. */
      readonly neededMiB: number
      readonly availableMiB: number
      /** The least boot memory with which every phase fits, MiB. */
      readonly bootMemoryMiB: number
    }

/** Runs the phases in order; the first one that does not fit ends the boot. */
export function runMemoryPhases(system: CaptureSystem): MemoryOutcome {
  const availableMiB = Number(system.bootMemory) / Number(MiB)
  const phases = usesOf(system, availableMiB)
  const reserve = minimumFree(availableMiB)
  const failed = phases.findIndex(({ usedMiB }) => usedMiB + reserve > availableMiB)
  const use = phases[failed]
  if (use === undefined) return { fits: true, phases, availableMiB }
  return {
    fits: false,
    phases: phases.slice(0, failed + 1),
    failed: use.phase,
    neededMiB: use.usedMiB + reserve,
    availableMiB,
    bootMemoryMiB: leastBootMemory(system),
  }
}

/** What went wrong and what to do about it, in one sentence each. */
export function explainOutOfMemory(
  outcome: Extract<MemoryOutcome, { fits: false }>,
  system: CaptureSystem,
): string {
  const needed = Math.ceil(outcome.neededMiB)
  const local =
    system.target === 'network'
      ? ', or capture to a local target (captureTarget "local"), which needs no receive rings'
      : ''
  return (
    `Out of memory in the capture kernel, phase "${outcome.failed}": ${needed} MiB needed, ` +
    `${describeLength(system.bootMemory)} of boot memory there. Reserve more: ` +
    `fadump_reserve_mem=${outcome.bootMemoryMiB}M (profile v5) or crashkernel=${outcome.bootMemoryMiB}M (modern)${local}.`
  )
}

function fits(system: CaptureSystem, availableMiB: number): boolean {
  const reserve = minimumFree(availableMiB)
  return usesOf(system, availableMiB).every(({ usedMiB }) => usedMiB + reserve <= availableMiB)
}

/** Doubles, then halves the interval: what fits keeps fitting when there is more. */
function leastBootMemory(system: CaptureSystem): number {
  let high = 64
  while (!fits(system, high)) high *= 2
  let low = high / 2
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (fits(system, middle)) high = middle
    else low = middle
  }
  return high
}

function usesOf(system: CaptureSystem, available: number): readonly PhaseUse[] {
  const pages = Number(system.memoryBytes) / system.pageSize
  const isNetwork = system.target === 'network'
  const kernel =
    preset.firmwareMiB.value +
    preset.kernelTextMiB.value +
    preset.kernelDynamicMiB.value +
    bytesToMiB(pages * preset.structPageBytes.value) +
    bytesToMiB(available * preset.hashBytesPerMiB.value) +
    system.cpus * preset.perCpuMiB.value
  const content = unpacked(preset.initramfsContentMiB.value, preset.initramfsFiles.value, system)
  const network = isNetwork
    ? unpacked(preset.networkContentMiB.value, preset.networkFiles.value, system)
    : 0
  const initramfs = kernel + preset.initramfsImageMiB.value + network * 0.5 + content + network
  const userSpace = kernel + content + network + preset.userSpaceMiB.value
  const workers = preset.udevWorkers.value * preset.udevWorkerMiB.value
  const udev = userSpace + workers
  const modules = udev + (isNetwork ? preset.networkModuleMiB.value + preset.dhcpMiB.value : 0)
  const linkUp = modules + (isNetwork ? receiveRingsMiB(ehea.queuePairs.value) : 0)
  const transfer = transferUse(linkUp - workers * preset.udevWorkersGone.value, {
    pages,
    available,
    isNetwork,
  })
  const used = [kernel, initramfs, userSpace, udev, modules, linkUp, transfer]
  return memoryPhases.map((phase, index) => ({ phase, usedMiB: used[index] ?? 0 }))
}

function transferUse(
  before: number,
  system: { readonly pages: number; readonly available: number; readonly isNetwork: boolean },
): number {
  const free = Math.max(0, system.available - before)
  const bitmap = Math.min(
    preset.bitmapMiBMax.value,
    bytesToMiB((system.pages * 2) / 8),
    preset.bitmapFreeShare.value * free,
  )
  const client = system.isNetwork
    ? preset.transferClientMiB.value + preset.transferBuffersMiB.value
    : 0
  const used = before + preset.collectorMiB.value + 2 * bitmap + client
  const headroom = Math.max(0, system.available - used - minimumFree(system.available))
  const share = system.isNetwork ? preset.dirtyShareNetwork.value : preset.dirtyShareLocal.value
  return used + share * headroom * (1 + preset.dirtyOverhead.value)
}

/** tmpfs keeps every file in whole pages: half a page a file is lost. */
function unpacked(contentMiB: number, files: number, system: CaptureSystem): number {
  return contentMiB + bytesToMiB((files * system.pageSize) / 2)
}

/** What `queuePairs` queue pairs of one ehea port fill when the link goes up. */
export function receiveRingsMiB(queuePairs: number): number {
  const overhead = ehea.skbPadBytes.value + ehea.sharedInfoBytes.value
  const bytes = eheaReceiveQueues.reduce(
    (sum, { buffers, dataBytes }) =>
      sum + buffers * (slabClass(dataBytes + overhead) + ehea.skbBytes.value),
    0,
  )
  return queuePairs * (bytesToMiB(bytes) + ehea.queueMemoryMiB.value)
}

/** The kmalloc class that holds `bytes`: the next power of two. */
function slabClass(bytes: number): number {
  return 2 ** Math.ceil(Math.log2(bytes))
}

/** `min_free_kbytes` = 4·√(16·KiB of memory), plus what the zone watermarks keep on top. */
function minimumFree(availableMiB: number): number {
  const minimum = Math.sqrt(availableMiB * 1024 * 16) / 1024
  return (
    Math.max(preset.minimumFreeMiB.value, minimum) + availableMiB * preset.minimumFreeShare.value
  )
}

function bytesToMiB(bytes: number): number {
  return bytes / Number(MiB)
}
