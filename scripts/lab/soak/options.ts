/** What was asked for on the command line, as the console takes it. */
import { nightlyCrashes } from '@fadump-lab/hmc-api'
import {
  nearestFirst,
  newSoak,
  readSoakFaultWord,
  soakFaultForm,
  type NewSoak,
} from '@fadump-lab/shared/contracts'
import { z } from 'zod'
import { UsageError } from '../command.ts'
import { containerFaultNames, type ContainerFaultName } from './containers/container-faults.ts'

export interface SoakOptions {
  readonly partitions: number | undefined
  readonly crashes: number | undefined
  readonly minutes: number | undefined
  readonly seconds: number | undefined
  readonly seed: number | undefined
  readonly storm: boolean
  readonly waves: boolean
  readonly 'crash-loop': boolean
  readonly scenarios: readonly string[] | undefined
  readonly causes: Readonly<Record<string, number>> | undefined
  readonly faults: readonly string[] | undefined
  readonly profiles: readonly string[] | undefined
  readonly memory: readonly number[] | undefined
  readonly populated: number | undefined
  readonly concurrency: number | undefined
  readonly only: readonly number[] | undefined
  readonly url: string | undefined
  readonly 'token-file': string | undefined
  readonly compose: boolean
  /** Of compose. */
  readonly project?: string
  readonly 'container-faults': readonly string[] | undefined
  readonly out: string | undefined
  readonly json: boolean
}

/** The JSON form of a new soak. Errors: `UsageError` with the field that is wrong and what it takes. */
export function askedSoak(options: SoakOptions): z.input<typeof newSoak> {
  const asked = given({
    partitions: options.partitions,
    crashes: options.crashes ?? roundOf(options),
    seconds: secondsOf(options),
    seed: options.seed,
    arrival: arrivalOf(options),
    scenarios: options.scenarios,
    causes: options.causes,
    faults: faultsOf(options.faults),
    profiles: options.profiles,
    memoryMiB: options.memory,
    populatedMiB: options.populated,
    concurrency: options.concurrency,
    only: options.only,
  })
  const parsed = newSoak.safeParse(asked)
  if (parsed.success) return asked
  throw new UsageError(z.prettifyError(parsed.error))
}

/** Without any bound every partition crashes once, and a nightly soak comes to its end. */
function roundOf({ minutes, seconds, only, ...options }: SoakOptions): number | undefined {
  const { partitions, faults } = options
  const isBounded = minutes !== undefined || seconds !== undefined || only !== undefined
  if (!isBounded && faults?.join() === 'nightly') return nightlyCrashes
  return isBounded ? undefined : (partitions ?? newSoak.parse({ crashes: 1 }).partitions)
}

function secondsOf({ minutes, seconds }: SoakOptions): number | undefined {
  if (minutes !== undefined) return Math.ceil(minutes * 60)
  return seconds === undefined ? undefined : Math.ceil(seconds)
}

function arrivalOf(options: SoakOptions): NewSoak['arrival'] | undefined {
  const chosen = (['storm', 'waves', 'crash-loop'] as const).filter((name) => options[name])
  if (chosen.length <= 1) return chosen[0]
  throw new UsageError(`--${chosen.join(' and --')} exclude each other: give one of them`)
}

function faultsOf(words: readonly string[] | undefined): unknown {
  if (words === undefined) return undefined
  const [first = ''] = words
  if (words.length === 1 && ['default', 'nightly', 'none'].includes(first)) return first
  return words.map((word) => {
    const fault = readSoakFaultWord(word)
    if (fault !== undefined) return fault
    throw new UsageError(`${JSON.stringify(word)} is no fault: give ${soakFaultForm}`)
  })
}

/** What happens to containers. Errors: `UsageError` with the names that there are. */
export function containerFaultsOf(words: readonly string[] | undefined): ContainerFaultName[] {
  if (words === undefined) return containerFaultNames.filter((name) => name !== 'power-failure')
  if (words.length === 1 && words[0] === 'none') return []
  return words.map((word) => {
    const name = containerFaultNames.find((each) => each === word)
    if (name !== undefined) return name
    const there = nearestFirst(word, containerFaultNames).join(', ')
    throw new UsageError(`no fault of containers is called ${word}; there are ${there}, and none`)
  })
}

function given(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}
