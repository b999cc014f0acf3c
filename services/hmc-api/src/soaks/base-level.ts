/** What services take and hold before, while and after a soak: sampled, and compared in the end. */
import {
  serviceNames,
  soakSamplesMax,
  type ServiceName,
  type SoakBaseLevel,
  type SoakMemorySample,
  type Vitals,
} from '@fadump-lab/shared/contracts'
import { vitalsOf } from '@fadump-lab/shared/http'
import type { HmcApiDeps } from '../deps.ts'
import type { JobRunner } from '../jobs/job-runner.ts'
import type { Levels } from './soak-tools.ts'

/** One process as it was looked at; services that share it are named together. */
interface Look {
  readonly services: string
  readonly vitals: Vitals
}

/** Sockets that are kept for the next request, and files that a poll has open at the moment. */
const descriptorsSpare = 64
/** Compiled code, caches with bounds, and what has not been collected yet (docs/testing.md). */
const heapSpareBytes = 192 * 1024 * 1024
/** In memory beside it: 100,000 rows of the event log, 10,000 jobs, the rows of the report. */
const settleMs = 15_000
const settlePauseMs = 500
const sampleMs = 1000
const mebibyte = 1024 * 1024

interface Room {
  readonly deps: HmcApiDeps
  readonly jobs: JobRunner
}

/** What all processes say now; one that does not answer is left out. */
async function lookAtAll({ deps, jobs }: Room): Promise<Look[]> {
  const own = async () => ({ jobs: jobs.store.running() })
  const found: { readonly service: ServiceName; readonly vitals: Vitals }[] = [
    { service: 'hmc-api', vitals: await vitalsOf(own) },
  ]
  for (const service of serviceNames) {
    if (service === 'hmc-api') continue
    for (const peer of (await deps.processes?.(service)) ?? []) {
      const vitals = await peer.vitals.getVitals({}).catch(() => undefined)
      if (vitals !== undefined) found.push({ service, vitals })
    }
  }
  return [...Map.groupBy(found, ({ vitals }) => vitals.process)].flatMap(([, group]) => {
    const [first] = group
    if (first === undefined) return []
    const holds = Object.assign({}, ...group.map(({ vitals }) => vitals.holds)) as Vitals['holds']
    const services = group.map(({ service }) => service).join(' + ')
    return [{ services, vitals: { ...first.vitals, holds } }]
  })
}

/** As the processes themselves tell it, the console's own included. */
export class VitalLevels implements Levels {
  readonly samples: SoakMemorySample[] = []
  readonly #room: Room
  readonly #peakHeap = new Map<string, number>()
  #before: readonly Look[] = []
  #pauseMs = sampleMs

  constructor(room: Room) {
    this.#room = room
  }

  async begin(): Promise<void> {
    this.#before = await lookAtAll(this.#room)
  }

  async watch(elapsed: () => number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      for (const look of await lookAtAll(this.#room)) this.#add(look, elapsed())
      if (this.samples.length > soakSamplesMax / 2) this.#thin()
      await this.#room.deps.clock.sleep(this.#pauseMs, signal).catch(() => undefined)
    }
  }

  /** Compares when all has settled, or when that takes too long. */
  async compare(kept: number): Promise<SoakBaseLevel[]> {
    const { clock } = this.#room.deps
    const started = clock.now()
    for (;;) {
      const after = await lookAtAll(this.#room)
      const rows = compare(this.#before, after, { kept, peakHeap: this.#peakHeap })
      const isLate = clock.now() - started >= settleMs
      if (isLate || rows.every(({ passed }) => passed)) return rows
      await clock.sleep(settlePauseMs)
    }
  }

  #add({ services, vitals }: Look, atMs: number): void {
    const { residentBytes, heapBytes } = vitals
    this.samples.push({ atMs, service: services, residentBytes, heapBytes })
    this.#peakHeap.set(services, Math.max(this.#peakHeap.get(services) ?? 0, heapBytes))
  }

  /** Every second look is forgotten, and looks come half as often. */
  #thin(): void {
    thin(this.samples)
    this.#pauseMs *= 2
  }
}

/** Forgets every second look. */
export function thin(samples: SoakMemorySample[]): void {
  const times = [...new Set(samples.map(({ atMs }) => atMs))]
  const kept = new Set(times.filter((_, index) => index % 2 === 0))
  const left = samples.filter(({ atMs }) => kept.has(atMs))
  samples.splice(0, samples.length, ...left)
}

function compare(
  before: readonly Look[],
  after: readonly Look[],
  { peakHeap, kept }: { readonly peakHeap: ReadonlyMap<string, number>; readonly kept: number },
): SoakBaseLevel[] {
  return before.flatMap(({ services, vitals: first }) => {
    const now = after.find((look) => look.services === services)?.vitals
    if (now === undefined) return [gone(services)]
    const held = Object.entries(first.holds).map(([name, count]) =>
      row({
        what: name,
        unit: 'of them',
        before: count,
        after: now.holds[name] ?? 0,
        allowed: count + (name === 'dumps' || name === 'directories of partitions' ? kept : 0),
      }),
    )
    const peak = peakHeap.get(services)
    return [
      ...held,
      row({
        what: `heap of ${services}`,
        unit: 'MiB',
        before: Math.round(first.heapBytes / mebibyte),
        after: Math.round(now.heapBytes / mebibyte),
        allowed: Math.round((first.heapBytes + heapSpareBytes) / mebibyte),
        ...(peak === undefined ? {} : { peak: Math.round(peak / mebibyte) }),
      }),
      ...descriptors(services, first, now),
    ]
  })
}

function descriptors(services: string, first: Vitals, now: Vitals): SoakBaseLevel[] {
  if (first.descriptors === undefined || now.descriptors === undefined) return []
  const what = `descriptors of ${services}`
  const allowed = first.descriptors + descriptorsSpare
  return [row({ what, unit: 'open', before: first.descriptors, after: now.descriptors, allowed })]
}

function row(given: Omit<SoakBaseLevel, 'passed'>): SoakBaseLevel {
  return { ...given, passed: given.after <= given.allowed }
}

function gone(services: string): SoakBaseLevel {
  const what = `${services} does not answer any more`
  return { what, unit: 'processes', before: 1, after: 0, allowed: 1, passed: false }
}
