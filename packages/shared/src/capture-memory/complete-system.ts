/** The defaults: from what somebody describes to the complete system. */
import type { CaptureSystem } from './capture-system.ts'
import { networkCard } from './network-cards.ts'
import type { Preset } from './presets/preset.ts'
import { presets } from './presets/presets.ts'
import { reservedMiB } from './reservations.ts'
import type { SystemDescription } from './settings.ts'
import { targetRow, type Target } from './targets.ts'

/** A description whose every value is valid by itself. */
export type WellFormedDescription = SystemDescription & {
  readonly memoryMiB: number
  readonly cpus: number
}

/** Fills in what `given` leaves open; whether the values go together is not looked at. */
export function complete(given: WellFormedDescription): CaptureSystem {
  const presetName = given.preset ?? 'now'
  const preset = presets[presetName]
  const machine = completeMachine(given, preset)
  const network = completeNetwork(given, machine.nrCpus)
  return {
    preset: presetName,
    ...machine,
    ...network,
    bootMemoryMiB: given.bootMemoryMiB ?? defaultBootMemoryMiB(given, machine, network),
    ...completeUserSpace(given, preset.defaults.rootfsPercent[machine.mechanism], preset),
    ...completeCollector(given),
  }
}

function completeMachine(given: WellFormedDescription, preset: Preset) {
  const { memoryMiB, cpus } = given
  return {
    mechanism: given.mechanism ?? ('fadump' as const),
    memoryMiB,
    memLimitMiB: given.memLimitMiB ?? memoryMiB,
    cpus,
    nrCpus: Math.min(cpus, given.nrCpus ?? preset.defaults.nrCpus ?? cpus),
    pageKiB: given.pageKiB ?? (64 as const),
    luksMiB: given.luksMiB ?? 0,
    hugepagesMiB: given.hugepagesMiB ?? 0,
  }
}

function completeNetwork(given: SystemDescription, nrCpus: number) {
  const card = given.card === 'none' ? undefined : given.card
  const queues = card === undefined ? 1 : networkCard(card).queuesDefault(nrCpus)
  return {
    card,
    target: given.target ?? (card === undefined ? ('local' as const) : ('ssh' as const)),
    ports: given.ports ?? 1,
    queues: given.queues ?? queues,
    multiqueue: given.multiqueue ?? true,
  }
}

function defaultBootMemoryMiB(
  given: WellFormedDescription,
  machine: ReturnType<typeof completeMachine>,
  { target }: { readonly target: Target },
): number {
  const needsNetwork = targetRow(target).needsNetwork
  return reservedMiB(given.reservation ?? 'linux', { ...machine, needsNetwork })
}

function completeUserSpace(given: SystemDescription, rootfsPercent: number, { defaults }: Preset) {
  const { initramfsMiB, rootfsMiB } = given
  return {
    udevWorkers: given.udevWorkers ?? defaults.udevWorkers,
    memoryController: given.memoryController ?? defaults.memoryController,
    initramfsMiB,
    rootfsMiB: rootfsMiB ?? initramfsMiB,
    rootfsPercent: given.rootfsPercent ?? rootfsPercent,
  }
}

/** What a pulling dump server keeps in flight when nobody says. */
const windowMiBDefault = 4

function completeCollector(given: SystemDescription) {
  return {
    threads: given.threads ?? 0,
    windowMiB: given.windowMiB ?? windowMiBDefault,
    otherProcessMiB: given.otherProcessMiB ?? 0,
    panicOnOom: given.panicOnOom ?? false,
  }
}
