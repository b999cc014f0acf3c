/** How a boot fails whose memory ended: which kind, where, for whom, and who dies of it. */
import type { Allocation, Shortage } from './allocate.ts'
import { consumers } from './consumers.ts'
import { networkCard } from './network-cards.ts'
import { phaseNames, phases, type FailureKind, type Phase } from './phases.ts'
import { presetNumbers } from './presets/presets.ts'
import type { CaptureSystem } from './capture-system.ts'
import { targetRow } from './targets.ts'
import { otherProcess } from './warnings.ts'

export interface Failure {
  readonly kind: FailureKind
  readonly phase: Phase
  /** Whose allocation did not fit. */
  readonly consumer: string
  /** The process that the OOM killer takes. */
  readonly victim?: string
  /** Order of the allocation that failed: 2^order pages. */
  readonly order?: number
  /** What the phase needs, with what must stay free; for a full root file system, its content. */
  readonly needMiB: number
  /** What there is for it: boot memory; for a full root file system, its limit. */
  readonly availableMiB: number
}

/** PAGE_ALLOC_COSTLY_ORDER: above it an allocation fails without an OOM kill. */
const costlyOrder = 3

/** Why the boot of `system` failed; undefined when it did not. */
export function failureOf(system: CaptureSystem, allocation: Allocation): Failure | undefined {
  const { shortage } = allocation
  if (shortage === undefined) return panicOfOtherProcess(system, allocation)
  return shortage.isRootfsFull
    ? rootfsFull(system, allocation, shortage)
    : outOfMemory(system, allocation, shortage)
}

/** Whether the consumer holds memory in the phase. */
export function isPresent(consumer: number, phase: number): boolean {
  const row = consumers[consumer]
  if (row === undefined || phaseNames.indexOf(row.phase) > phase) return false
  return row.until === undefined || phaseNames.indexOf(row.until) >= phase
}

function outOfMemory(system: CaptureSystem, allocation: Allocation, shortage: Shortage): Failure {
  const row = consumers[shortage.consumer]
  const order = row?.isDriver === true ? orderOf(system) : 0
  const kind = kindOf(system, shortage.phase, order)
  const needPages = (allocation.used[shortage.phase] ?? 0) + allocation.reservePages
  return {
    kind,
    phase: phases[shortage.phase]?.name ?? 'done',
    consumer: row?.name ?? '',
    needMiB: (needPages * system.pageKiB) / 1024,
    availableMiB: system.bootMemoryMiB,
    ...(isKill(kind) ? { victim: victimOf(system, kind, shortage.phase) } : {}),
    ...(kind === 'allocation failure' ? { order } : {}),
  }
}

function isKill(kind: FailureKind): boolean {
  return kind === 'oom kill' || kind === 'killed in mid-copy'
}

/** What the phase says, unless the target, the driver or vm.panic_on_oom make it otherwise. */
function kindOf(system: CaptureSystem, phase: number, order: number): FailureKind {
  const kind = phases[phase]?.failsAs ?? 'oom kill'
  if (order > costlyOrder) return 'allocation failure'
  // Dirty pages of NFS are freed by sending them, and sending needs memory.
  if (kind === 'killed in mid-copy' && system.target === 'nfs') return 'hang'
  return system.panicOnOom && isKill(kind) ? 'out of memory panic' : kind
}

/** The order of the largest piece that the driver allocates. */
function orderOf({ card, pageKiB, preset }: CaptureSystem): number {
  if (card === undefined) return 0
  const chunkKiB = networkCard(card).chunkKiB(presetNumbers[preset])
  return Math.max(0, Math.ceil(Math.log2(chunkKiB / pageKiB)))
}

function rootfsFull(system: CaptureSystem, allocation: Allocation, shortage: Shortage): Failure {
  return {
    kind: 'rootfs full',
    phase: phases[shortage.phase]?.name ?? 'done',
    consumer: consumers[shortage.consumer]?.name ?? '',
    needMiB: (allocation.rootfsWanted * system.pageKiB) / 1024,
    availableMiB: (allocation.rootfsBound * system.pageKiB) / 1024,
  }
}

/**
 * The process that moves the data, in mid-copy; before, the largest one that runs, or a shell when there is none but
 * init, which is never taken.
 */
function victimOf(system: CaptureSystem, kind: FailureKind, phase: number): string {
  if (kind === 'killed in mid-copy') return targetRow(system.target).process
  const [largest] = processesIn(system, phase)
  return largest === undefined ? 'sh' : largest.name
}

/** The processes that hold memory in a phase beside init and shells, the largest first; what one of each holds, MiB. */
export function processesIn(
  system: CaptureSystem,
  phase: number,
): readonly { readonly name: string; readonly MiB: number }[] {
  const numbers = presetNumbers[system.preset]
  const target = targetRow(system.target)
  const input = { system, numbers, target, freeMiB: 0, reserveMiB: 0 }
  return consumers
    .flatMap(({ process }, index) =>
      process !== undefined && isPresent(index, phase)
        ? [{ name: process.name(input), MiB: process.sizeMiB(input) }]
        : [],
    )
    .filter(({ MiB }) => MiB > 0)
    .toSorted((a, b) => b.MiB - a.MiB)
}

function panicOfOtherProcess(system: CaptureSystem, allocation: Allocation): Failure | undefined {
  const { isKilled, needPages } = otherProcess(system, allocation)
  if (!isKilled || !system.panicOnOom) return undefined
  return {
    kind: 'out of memory panic',
    phase: 'transfer',
    consumer: 'another process',
    needMiB: (needPages * system.pageKiB) / 1024,
    availableMiB: system.bootMemoryMiB,
  }
}
