/** The complete system that the model works on. */
import type { NetworkCardKind } from './network-cards.ts'
import type { PresetName } from './presets/presets.ts'
import type { Mechanism } from './reservations.ts'
import type { Target } from './targets.ts'

/** Everything that the formulas need; sizes in MiB. */
export interface CaptureSystem {
  readonly preset: PresetName
  readonly mechanism: Mechanism
  readonly memoryMiB: number
  /** `mem=`; all memory without it. */
  readonly memLimitMiB: number
  /** A whole number. */
  readonly bootMemoryMiB: number
  readonly cpus: number
  /** CPUs that the capture kernel brings up. */
  readonly nrCpus: number
  readonly pageKiB: 4 | 64
  readonly target: Target
  /** Undefined: nothing is brought up. */
  readonly card: NetworkCardKind | undefined
  readonly ports: number
  readonly queues: number
  readonly multiqueue: boolean
  readonly udevWorkers: number
  readonly memoryController: boolean
  readonly luksMiB: number
  readonly hugepagesMiB: number
  /** Undefined: what the preset says, with or without network. */
  readonly initramfsMiB: number | undefined
  readonly rootfsMiB: number | undefined
  readonly rootfsPercent: number
  readonly threads: number
  readonly windowMiB: number
  readonly otherProcessMiB: number
  readonly panicOnOom: boolean
}
