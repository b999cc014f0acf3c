/**
 * What would let a dump through: settings that cost nothing first, boot memory, which production pays for, then another
 * target. Every fix is tried on the same evaluation before it is told.
 */
import { judge } from './evaluate.ts'
import { maximumBootMemoryMiB, minimumBootMemoryMiB } from './minimum.ts'
import { networkCard } from './network-cards.ts'
import { presets } from './presets/presets.ts'
import type { CaptureSystem } from './capture-system.ts'
import { targetRow } from './targets.ts'

export interface Fix {
  /** The exact setting. */
  readonly setting: string
  /** What becomes of the system, as settings of this model. */
  readonly change: Partial<CaptureSystem>
  /** Boot memory that production gives up for it, MiB. */
  readonly costMiB: number
  /** Whether the dump then gets through with at least 5 percent to spare. */
  readonly isComfortable: boolean
}

interface Knob {
  readonly setting: (system: CaptureSystem) => string
  readonly change: (system: CaptureSystem) => Partial<CaptureSystem>
  /** Whether it is there to be turned. */
  readonly applies: (system: CaptureSystem) => boolean
}

/** Knobs of the capture environment, the least loss first. */
const knobs: readonly Knob[] = [
  {
    setting: () => 'vm.panic_on_oom=0',
    change: () => ({ panicOnOom: false }),
    applies: ({ panicOnOom }) => panicOnOom,
  },
  {
    setting: () => 'hugepages=0',
    change: () => ({ hugepagesMiB: 0 }),
    applies: ({ hugepagesMiB, preset }) => hugepagesMiB > 0 && presets[preset].reservesHugepages,
  },
  {
    setting: () => 'initramfs_options=size=90%',
    change: () => ({ rootfsPercent: 90 }),
    applies: ({ rootfsPercent, preset }) => rootfsPercent < 90 && presets[preset].initramfsOptions,
  },
  {
    setting: () => 'cgroup_disable=memory',
    change: () => ({ memoryController: false }),
    applies: ({ memoryController }) => memoryController,
  },
  {
    setting: () => 'udev.children-max=2',
    change: () => ({ udevWorkers: 2 }),
    applies: ({ udevWorkers }) => udevWorkers > 2,
  },
  {
    setting: ({ card }) =>
      (card === undefined ? undefined : networkCard(card).oneQueueSetting) ?? 'one queue a port',
    change: () => ({ multiqueue: false }),
    applies: ({ card, queues, multiqueue, target }) =>
      card !== undefined &&
      targetRow(target).needsNetwork &&
      multiqueue &&
      queues > 1 &&
      networkCard(card).oneQueueSetting !== undefined,
  },
  {
    setting: () => 'ip=DEVICE:dhcp (bring up one port)',
    change: () => ({ ports: 1 }),
    applies: ({ ports, target }) => ports > 1 && targetRow(target).needsNetwork,
  },
  {
    setting: () => 'nr_cpus=1',
    change: ({ card, queues }) => ({ nrCpus: 1, queues: queuesOfOneCpu(card, queues) }),
    applies: ({ nrCpus, preset }) => nrCpus > 1 && presets[preset].limitsCaptureCpus,
  },
]

/** With one CPU a driver that takes a queue a CPU takes one. */
function queuesOfOneCpu(card: CaptureSystem['card'], queues: number): number {
  return card === undefined ? queues : Math.min(queues, networkCard(card).queuesDefault(1))
}

/**
 * Everything that alone lets the dump of `system` through, the cheapest first: knobs that leave a margin, boot memory,
 * knobs that only just suffice, a local target.
 */
export function fixesFor(system: CaptureSystem): readonly Fix[] {
  const turned = knobs
    .filter(({ applies }) => applies(system))
    .flatMap(({ setting, change }) => tried(system, setting(system), change(system)))
  return [
    ...turned.filter(({ isComfortable }) => isComfortable),
    ...bootMemoryFix(system),
    ...turned.filter(({ isComfortable }) => !isComfortable),
    ...localFix(system),
  ]
}

/** The first of the fixes; undefined when no single one suffices. */
export function cheapestFix(system: CaptureSystem): Fix | undefined {
  return fixesFor(system)[0]
}

function tried(
  system: CaptureSystem,
  setting: string,
  change: Partial<CaptureSystem>,
): readonly Fix[] {
  const { verdict } = judge({ ...system, ...change })
  if (verdict === 'fail') return []
  return [{ setting, change, costMiB: 0, isComfortable: verdict === 'pass' }]
}

function bootMemoryFix(system: CaptureSystem): readonly Fix[] {
  const minimum = minimumBootMemoryMiB(system)
  if (minimum === undefined || minimum > maximumBootMemoryMiB(system)) return []
  if (minimum <= system.bootMemoryMiB) return []
  const change = { bootMemoryMiB: minimum }
  const setting = `${presets[system.preset].bootMemoryArgument}=${minimum}M`
  const costMiB = minimum - system.bootMemoryMiB
  return [{ setting, change, costMiB, isComfortable: false }]
}

function localFix(system: CaptureSystem): readonly Fix[] {
  if (!targetRow(system.target).needsNetwork) return []
  return tried(system, 'a local dump target', { target: 'local' })
}
