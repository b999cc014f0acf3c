/**
 * The fault registry: everything that the lab can break on purpose, each with the place where it acts and what has to
 * come out. Arming, striking and the documentation (docs/faults.md) go by these rows; nothing else breaks on purpose.
 */
import { z } from 'zod'
import { serviceNames } from './access.ts'
import { collectorRoutes } from './collector-routes.ts'
import type { FaultPlace, FaultRow, FaultValue } from './fault-row.ts'
import { firmwareFaultOutcomes } from './firmware-fault-outcomes.ts'
import { firmwareFaultNames, firmwareFaults, type FirmwareFaultName } from './firmware-faults.ts'
import { hypervisorRoutes } from './hypervisor-routes.ts'
import { frameId, partitionId } from './ids.ts'
import { lparKernelRoutes } from './lpar-kernel-routes.ts'
import { nearestFirst } from './nearest-names.ts'
import { queueNames } from './queues.ts'
import { serviceFaults } from './service-faults.ts'

export type ServiceFaultName = keyof typeof serviceFaults
export type FaultName = ServiceFaultName | FirmwareFaultName

export const serviceFaultNames = Object.keys(serviceFaults) as readonly ServiceFaultName[]

/** Every fault by name. */
export const faults: ReadonlyMap<FaultName, FaultRow> = new Map<FaultName, FaultRow>([
  ...serviceFaultNames.map((name): [FaultName, FaultRow] => [name, serviceFaults[name]]),
  ...firmwareFaultNames.map((name): [FaultName, FaultRow] => [name, firmwareRow(name)]),
])
const names: readonly FaultName[] = [...faults.keys()]

function firmwareRow(name: FirmwareFaultName): FaultRow {
  const {
    where,
    does,
    value,
    ...rest
  }: { readonly default?: number } & {
    readonly where: string
    readonly does: string
    readonly value: FaultValue
  } = firmwareFaults[name]
  const { holds, outcome, catalogue } = firmwareFaultOutcomes[name]
  return {
    point: 'firmware',
    services: ['hypervisor'],
    does: `${where}: ${does}`,
    value,
    ...(rest.default === undefined ? {} : { default: rest.default }),
    place: 'none',
    expects: { holds, outcome },
    catalogue,
  }
}

/** Calls of the memory store at which it can go away, and at which a process can end. */
const storeCalls = [
  'createSpace',
  'deleteSpace',
  'describe',
  'read',
  'digests',
  'write',
  'populated',
  'readRecord',
  'commit',
] as const

/** Steps of ports that have no other list. `events.append` can go on with `:` and the name of an event. */
const steps = [
  ...storeCalls.map((call) => `store.${call}`),
  'files.open',
  'files.write',
  'files.sync',
  'files.resize',
  'files.makeDirectory',
  'files.syncDirectory',
  'files.rename',
  'files.remove',
  'files.removeIfEmpty',
  'queue.add',
  'queue.begin',
  'queue.complete',
  'events.append',
  'fetch',
] as const

/** What `at` can be, by what it names. */
export const faultPlaces: Readonly<Record<FaultPlace, readonly string[]>> = {
  operation: [
    ...new Set(
      [hypervisorRoutes, lparKernelRoutes, collectorRoutes].flatMap((table) => Object.keys(table)),
    ),
  ],
  file: [
    'vmcore',
    'manifest.ndjson',
    'dump.json',
    'manifest.json',
    'progress.json',
    'pinned.json',
    'directory',
  ],
  queue: queueNames,
  'store-call': storeCalls,
  step: steps,
  none: [],
}

/** Where `row` can be told to act. */
export function placesOf(row: FaultRow): readonly string[] {
  return row.places ?? faultPlaces[row.place]
}

/** The most times a fault can be asked to strike, and to be passed over before. */
const timesMax = 1_000_000
const atCharactersMax = 96
/** Of the random numbers that decide when there is a probability. */
const seedMax = 2 ** 32 - 1

export const faultName = z.enum(names as readonly [FaultName, ...FaultName[]], {
  error: ({ input }) =>
    `no fault is called so; there are ${nearestFirst(String(input), names).join(', ')}`,
})

/** What it strikes: everything that fits all that is named. */
const faultScope = z.strictObject({
  partition: partitionId.optional(),
  frame: frameId.optional(),
  service: z.enum(serviceNames).optional(),
})

const faultFields = {
  name: faultName,
  /** RTAS status, flags, bytes, milliseconds …: see the row. */
  value: z.int().optional(),
  /** Operation, file, queue or step: see the row. */
  at: z.string().max(atCharactersMax).optional(),
  /** Occasions that it lets pass first. */
  after: z.int().min(0).max(timesMax).default(0),
  /** How often it strikes before it is spent. Each process counts its own. */
  times: z.int().min(1).max(timesMax).default(1),
  /** Of striking, at each occasion. Default: certain. */
  probability: z.number().gt(0).max(1).optional(),
  seed: z.int().min(0).max(seedMax).default(0),
  scope: faultScope.default({}),
} as const

export const newFault = z.strictObject(faultFields).superRefine((fault, context) => {
  for (const { path, message } of refusals(fault)) {
    context.addIssue({ code: 'custom', path: [...path], message, input: fault })
  }
})
export type NewFault = z.output<typeof newFault>
type FaultForm = z.output<z.ZodObject<typeof faultFields>>

interface Refusal {
  readonly path: readonly string[]
  readonly message: string
}

const flagsMax = 0xffff
const valueRanges: Readonly<Record<Exclude<FaultValue, 'none'>, readonly [number, number]>> = {
  'rtas-status': [-0x8000_0000, 0x7fff_ffff],
  flags: [0, flagsMax],
  bytes: [0, Number.MAX_SAFE_INTEGER],
  count: [1, flagsMax],
  ms: [-31_536_000_000, 31_536_000_000],
  moment: [0, 1],
}

function refusals(fault: FaultForm): readonly Refusal[] {
  const row = faults.get(fault.name)
  return row === undefined
    ? []
    : [...refusedValue(fault, row), ...refusedPlace(fault, row), ...refusedScope(fault, row)]
}

function refusedValue({ name, value }: FaultForm, row: FaultRow): readonly Refusal[] {
  if (value === undefined) return []
  const path = ['value']
  if (row.value === 'none') return [{ path, message: `${name} takes no value` }]
  const [min, max] = valueRanges[row.value]
  const least = row.value === 'ms' && name !== 'clock-jump' ? 0 : min
  if (value >= least && value <= max) return []
  return [{ path, message: `the value of ${name} (${row.value}) must be ${least} to ${max}` }]
}

function refusedPlace({ name, at }: FaultForm, row: FaultRow): readonly Refusal[] {
  const path = ['at']
  const places = placesOf(row)
  if (at === undefined) {
    const message = `${name} needs a step, such as files.rename or events.append:stored`
    return row.place === 'step' ? [{ path, message }] : []
  }
  if (places.length === 0) return [{ path, message: `${name} takes no place` }]
  const [step = at, detail] = row.place === 'step' ? at.split(':', 2) : [at]
  const isKnown = places.includes(step)
  if (isKnown && (detail === undefined || step === 'events.append' || step === 'fetch')) return []
  return [{ path, message: `${name} acts at ${nearestFirst(step, places).join(', ')}; not there` }]
}

function refusedScope(fault: FaultForm, row: FaultRow): readonly Refusal[] {
  const { service, partition } = fault.scope
  if (service !== undefined && !row.services.includes(service)) {
    const message = `${fault.name} strikes in ${row.services.join(', ')} only`
    return [{ path: ['scope', 'service'], message }]
  }
  if (row.point !== 'firmware') return []
  if (partition === undefined) {
    const message = `${fault.name} is a fault of one partition’s firmware: name the partition`
    return [{ path: ['scope', 'partition'], message }]
  }
  const isPlain = fault.after === 0 && fault.probability === undefined
  return isPlain
    ? []
    : [{ path: ['after'], message: `${fault.name} strikes at its first occasion, always` }]
}

export const faultId = z
  .string()
  .regex(/^f-[0-9a-z]{1,32}(?:-[0-9a-z-]{1,64})?$/, 'a fault id begins with f-')

export const armedFault = z.strictObject({
  id: faultId,
  ...faultFields,
  /** Occasions that fitted its scope and place. */
  considered: z.int().min(0),
  struck: z.int().min(0),
})
export type ArmedFault = z.output<typeof armedFault>
