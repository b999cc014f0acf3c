/** What a soak does, drawn from its seed alone: the same seed gives the same fleet and, number by number, the same crashes. */
import {
  crashCause,
  soakScenarioNames,
  soakScenarios,
  type CrashCause,
  type KernelProfileName,
  type NewSoak,
  type SoakScenarioName,
  type SoakScenarioRow,
} from '@fadump-lab/shared/contracts'
import { seededRandom, type Random } from '@fadump-lab/shared/runtime'
import { invariant } from '@fadump-lab/shared/units'
import { faultOf, faultsOf, type PlannedFault } from './fault-plan.ts'

export interface PlannedPartition {
  /** From 0. */
  readonly index: number
  readonly id: string
  readonly profile: KernelProfileName
  readonly memoryBytes: number
  readonly processors: number
  readonly contentSeed: number
  /** Of 64 KiB. */
  readonly pages: number
}

/** How an ordinary crash comes about. */
export type PlannedCause = CrashCause | 'dump-restart'

export interface PlannedCrash {
  /** From 1. */
  readonly number: number
  readonly partition: PlannedPartition
  readonly scenario: SoakScenarioName
  readonly cause: PlannedCause
  /** What user space writes before this very crash, and what it would have written next. */
  readonly seed: number
  readonly nextSeed: number
  /** What strikes it; such a crash is a plain one, so that what comes of it is the fault's doing. */
  readonly fault: PlannedFault | undefined
  /** Whether its vmcore is read from end to end. */
  readonly isWhole: boolean
  /** For what else a scenario draws. */
  readonly random: Random
}

/** Crashes that are ordered together; `undefined`: each by itself. */
export type Round = readonly number[]

const mebibyte = 1024 * 1024
const pagesPerMebibyte = 16
const processorChoices = [1, 2, 4, 8] as const
const weightDefault = 4
/** Share of the fleet that a wave takes, and that loops. */
const waves = 4
const loopingShare = 10

export class SoakPlan {
  readonly asked: NewSoak
  readonly fleet: readonly PlannedPartition[]
  readonly faults: readonly PlannedFault[]
  readonly #random: Random

  /** `id` names the partitions. */
  constructor(asked: NewSoak, seed: number, id: string) {
    this.asked = asked
    this.#random = seededRandom(seed)
    this.faults = faultsOf(asked)
    this.fleet = Array.from({ length: asked.partitions }, (_, index) => this.#partition(id, index))
  }

  /** Crash number `number`, whatever else of the plan is carried out. */
  crash(number: number): PlannedCrash {
    const random = this.#random.fork(`crash ${number}`)
    const usual = this.fleet[this.partitionOf(number)]
    invariant(usual !== undefined, `crash ${number} has no partition`)
    const fault = faultOf(this.faults, number, this.asked.faults)
    const drawn = drawScenario(random, usual.profile, this.asked.scenarios)
    const scenario = fault === undefined ? drawn : 'plain'
    const partition = { ...usual, profile: fault?.needs.profile ?? usual.profile }
    return {
      number,
      partition,
      scenario,
      cause: fault?.needs.cause ?? drawCause(random, scenario, this.asked.causes),
      seed: random.int(2 ** 32),
      nextSeed: random.int(2 ** 32),
      fault,
      isWhole: random.int(100) < this.asked.wholePercent,
      random,
    }
  }

  /** Index of the partition of a crash. */
  partitionOf(number: number): number {
    const { partitions, arrival } = this.asked
    if (arrival !== 'crash-loop') return (number - 1) % partitions
    const looping = Math.max(1, Math.floor(partitions / loopingShare))
    const turn = Math.floor((number - 1) / 2)
    const others = partitions - looping
    return number % 2 === 1 || others === 0 ? turn % looping : looping + (turn % others)
  }

  /** How many crashes are ordered at the same moment; 1: none wait for each other. */
  get together(): number {
    const { partitions, arrival } = this.asked
    if (arrival === 'storm') return partitions
    return arrival === 'waves' ? Math.ceil(partitions / waves) : 1
  }

  #partition(soak: string, index: number): PlannedPartition {
    const random = this.#random.fork(`partition ${index}`)
    const { profiles, memoryMiB, populatedMiB } = this.asked
    return {
      index,
      id: `${soak}-${index + 1}`,
      profile: pick(random, profiles),
      memoryBytes: pick(random, memoryMiB) * mebibyte,
      processors: pick(random, processorChoices),
      contentSeed: random.int(2 ** 32),
      pages: populatedMiB * pagesPerMebibyte,
    }
  }
}

function drawScenario(
  random: Random,
  profile: KernelProfileName,
  names: readonly SoakScenarioName[] = soakScenarioNames,
): SoakScenarioName {
  const fitting = names.filter((name) => {
    const { profiles }: SoakScenarioRow = soakScenarios[name]
    return profiles?.includes(profile) !== false
  })
  return weighted(
    random,
    fitting.map((name) => {
      const { weight }: SoakScenarioRow = soakScenarios[name]
      return [name, weight ?? weightDefault]
    }),
    'plain',
  )
}

/** A scenario whose cause is its point has that one. */
function drawCause(
  random: Random,
  scenario: SoakScenarioName,
  causes: NewSoak['causes'] = {},
): PlannedCause {
  const drawn = weighted(
    random,
    crashCause.options.map((cause) => [
      cause,
      Object.keys(causes).length === 0 ? 1 : (causes[cause] ?? 0),
    ]),
    'sysrq',
  )
  if (scenario === 'watchdog-dump') return 'hard-lockup'
  return scenario === 'dump-restart' ? 'dump-restart' : drawn
}

function weighted<T>(
  random: Random,
  rows: readonly (readonly [value: T, weight: number])[],
  otherwise: T,
): T {
  const total = rows.reduce((sum, [, weight]) => sum + weight, 0)
  let left = total === 0 ? 0 : random.int(total)
  for (const [value, weight] of rows) {
    if (left < weight) return value
    left -= weight
  }
  return otherwise
}

function pick<T>(random: Random, choices: readonly T[]): T {
  const chosen = choices[random.int(choices.length)]
  invariant(chosen !== undefined, 'something to choose from')
  return chosen
}
