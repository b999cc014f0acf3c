/**
 * The faults of a soak: every second crash has one, armed for its partition alone and taken back after it, so that what
 * struck and what came of it belong together.
 */
import {
  faults as registry,
  newFault,
  systemResetQueue,
  type FaultName,
  type KernelProfileName,
  type NewFault,
  type NewSoak,
  type SoakFault,
} from '@fadump-lab/shared/contracts'
import type { PlannedCause } from './plan.ts'

/** A fault of the plan and what it may lead to. */
export interface PlannedFault {
  readonly fault: SoakFault
  /** `dump`: it must cost nothing but time. `either`: the dump may be gone, with a recorded reason. */
  readonly allows: 'dump' | 'either'
  readonly needs: FaultNeeds
}

/** In the default plan: a crash with a fault, one without. */
const every = 2
/** By night every fault comes so often, a little more than is asked for: now and then one has nothing to strike. */
const nightlyRounds = 104

const crashesMoreAtMost = 3
const defaultPlan: readonly SoakFault[] = [
  { name: 'connection-reset', at: 'readVmcore', value: 70_000, service: 'dump-collector' },
  { name: 'connection-reset', at: 'readVmcoreManifest', value: 0, service: 'dump-collector' },
  { name: 'connection-reset', at: 'releaseDump', value: 0, service: 'dump-collector' },
  { name: 'connection-refused', at: 'readVmcore', service: 'dump-collector' },
  { name: 'half-open', at: 'readVmcore', value: 9000, service: 'dump-collector' },
  { name: 'bit-flip', at: 'readVmcore' },
  { name: 'stream-truncated', at: 'readVmcore', value: 100_000 },
  { name: 'stream-duplicated', at: 'readVmcore' },
  { name: 'stream-reordered', at: 'readVmcore' },
  { name: 'slow-reader', at: 'readVmcore' },
  { name: 'slow-sender', at: 'readVmcore' },
  { name: 'latency', service: 'lpar-kernel' },
  { name: 'disk-full', at: 'vmcore', value: 50_000 },
  { name: 'fsync-error', at: 'vmcore' },
  { name: 'bit-rot' },
  { name: 'clock-jump', service: 'dump-collector' },
  { name: 'clock-jump', value: -86_400_000, service: 'lpar-kernel' },
  { name: 'queue-redelivery', at: 'capture' },
  { name: 'queue-redelivery', at: 'ipl' },
  { name: 'queue-redelivery', at: 'system-reset' },
  { name: 'job-stalled', at: 'capture' },
  { name: 'redis-memory-restart', at: 'commit', service: 'hypervisor' },
  { name: 'redis-memory-restart', at: 'read', service: 'lpar-kernel' },
  { name: 'torn-hand-over', value: 0, service: 'hypervisor' },
  { name: 'torn-hand-over', value: 1, service: 'hypervisor' },
  { name: 'redis-control-restart', service: 'lpar-kernel' },
  { name: 'process-abort', at: 'files.rename', value: 1, service: 'dump-collector' },
  { name: 'process-abort', at: 'events.append:stored', service: 'dump-collector' },
  { name: 'crash-in-capture-kernel' },
  { name: 'second-crash' },
  { name: 'crash-loop', times: crashesMoreAtMost },
  { name: 'capture-oom' },
  { name: 'register-status' },
  { name: 'unregister-status' },
  { name: 'invalidate-status' },
  { name: 'os-term-status', value: -2 },
  { name: 'no-extended-os-term' },
  { name: 'nmi-register-status' },
  { name: 'nmi-interlock-status' },
  { name: 'preserve-hardware-error' },
  { name: 'cpu-state-error' },
  { name: 'cpu-state-short', value: 64 },
  { name: 'hpte-error' },
  { name: 'hpte-short', value: 16 },
  { name: 'real-mode-error' },
  { name: 'real-mode-short', value: 65_536 },
  { name: 'parameters-error' },
  { name: 'parameters-short', value: 16 },
  { name: 'unknown-section' },
  { name: 'header-status-set' },
  { name: 'header-status-lost' },
  { name: 'regsave-magic' },
  { name: 'regsave-fewer-cpus' },
  { name: 'regsave-no-cpustrt' },
  { name: 'regsave-no-cpuend' },
  { name: 'dma-in-flight' },
]

/** Faults below and beside the collector are its daily bread: no dump may be lost to them. */
const harmless: ReadonlySet<string> = new Set([
  'connection-refused',
  'connection-reset',
  'half-open',
  'bit-flip',
  'stream-truncated',
  'stream-duplicated',
  'stream-reordered',
  'slow-reader',
  'slow-sender',
  'latency',
  'disk-full',
  'fsync-error',
  'clock-jump',
  'queue-redelivery',
  'job-stalled',
  'redis-memory-restart',
  'redis-control-restart',
  'torn-hand-over',
  'crash-in-capture-kernel',
  'unknown-section',
  'process-abort',
  'second-crash',
  'crash-loop',
  'capture-oom',
  'register-status',
  'unregister-status',
  'nmi-register-status',
  'nmi-interlock-status',
  'parameters-error',
  'parameters-short',
  'dma-in-flight',
])

/** The kernel, the cause and the time that a fault has to have; default: any, any, right before the crash. */
export interface FaultNeeds {
  readonly profile?: KernelProfileName
  readonly cause?: PlannedCause
  /** Armed before the partition is prepared: it strikes there. */
  readonly isEarly?: boolean
}

/** Whoever has that job has a system reset to carry out. */
const aReset: FaultNeeds = { cause: 'dump-restart' }

const needs: Readonly<Partial<Record<FaultName, FaultNeeds>>> = {
  'register-status': { isEarly: true },
  'unregister-status': { isEarly: true },
  'no-extended-os-term': { isEarly: true, cause: 'panic' },
  'nmi-register-status': { isEarly: true, cause: 'dump-restart' },
  // Later kernels give the interlock back for machine checks only.
  'nmi-interlock-status': { profile: 'v5', cause: 'dump-restart' },
  // Of Linux 6.12: there was none before.
  'parameters-error': { profile: 'modern' },
  'parameters-short': { profile: 'modern' },
}

/** The faults of a soak in the order in which they are used. */
export function faultsOf({ faults, profiles }: NewSoak): readonly PlannedFault[] {
  if (faults === 'none') return []
  if (typeof faults !== 'string') return faults.map(planned)
  const all = defaultPlan.map(planned)
  return all.filter(({ needs: { profile } }) => profile === undefined || profiles.includes(profile))
}

function planned(fault: SoakFault): PlannedFault {
  return {
    fault,
    allows: harmless.has(fault.name) ? 'dump' : 'either',
    needs: fault.at === systemResetQueue.name ? aReset : (needs[fault.name] ?? {}),
  }
}

/**
 * The fault of crash `number`: one after the other, so that a plan of so many crashes has used each. By night all names in
 * turn, and of those that the plan has several times one after the other.
 */
export function faultOf(
  plan: readonly PlannedFault[],
  number: number,
  faults: NewSoak['faults'],
): PlannedFault | undefined {
  if (faults === 'nightly') return nightlyFault(plan, number - 1)
  return number % every === 1 && plan.length > 0
    ? plan[Math.floor(number / every) % plan.length]
    : undefined
}

function nightlyFault(plan: readonly PlannedFault[], turn: number): PlannedFault | undefined {
  const groups = [...Map.groupBy(plan, ({ fault }) => fault.name).values()]
  const group = groups[turn % groups.length]
  return group?.[Math.floor(turn / groups.length) % group.length]
}

/** How many crashes it takes to come to everything. */
export function crashesFor(plan: readonly PlannedFault[], faults: NewSoak['faults']): number {
  return faults === 'nightly' ? nightlyCrashes : every * plan.length
}

/** So many crashes has a soak in which every fault comes often enough. */
export const nightlyCrashes: number =
  nightlyRounds * new Set(defaultPlan.map(({ name }) => name)).size

/** As the console arms it: for this partition where a fault can have one. */
export function armedFor({ fault }: PlannedFault, partition: string): NewFault {
  const { name, value, at, service, times } = fault
  return newFault.parse({
    name,
    ...(times === undefined ? {} : { times }),
    ...(value === undefined ? {} : { value }),
    ...(at === undefined ? {} : { at }),
    scope: {
      ...(knowsPartitions(name) ? { partition } : {}),
      ...(service === undefined ? {} : { service }),
    },
  })
}

/** Clocks and processes serve all partitions alike. */
function knowsPartitions(name: FaultName): boolean {
  const point = registry.get(name)?.point
  return point !== 'clock' && point !== 'process'
}

/** How a report names it. */
export function labelOf({ name, at, service, value, times }: SoakFault): string {
  const words = [
    name,
    ...(at === undefined ? [] : [`at ${at}`]),
    ...(service === undefined ? [] : [`in ${service}`]),
    ...(times === undefined ? [] : [`${times} times`]),
  ]
  return value === undefined ? words.join(' ') : `${words.join(' ')} (${value})`
}

/** Whether it is the partition's own firmware that is wrong. */
export function isFirmwareFault({ fault }: PlannedFault): boolean {
  return registry.get(fault.name)?.point === 'firmware'
}
