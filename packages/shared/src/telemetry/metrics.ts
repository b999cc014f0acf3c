/** Every metric of every service, in one table; names carry their unit. */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'

type MetricRow = {
  readonly kind: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly labels: readonly string[]
  readonly buckets?: readonly number[]
}

const seconds = [0.005, 0.02, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 300, 1800] as const

export const metricTable = {
  fadump_rtas_calls_total: {
    kind: 'counter',
    help: 'RTAS calls by function and status',
    labels: ['call', 'status'],
  },
  fadump_hcalls_total: {
    kind: 'counter',
    help: 'Hypervisor calls by function and return code',
    labels: ['call', 'code'],
  },
  fadump_partitions: { kind: 'gauge', help: 'Partitions by state', labels: ['state'] },
  fadump_preserve_seconds: {
    kind: 'histogram',
    help: 'Time firmware took to preserve a partition',
    labels: [],
    buckets: seconds,
  },
  fadump_boots_total: {
    kind: 'counter',
    help: 'Kernel boots by kind and outcome',
    labels: ['kind', 'outcome'],
  },
  fadump_vmcore_sent_bytes_total: {
    kind: 'counter',
    help: 'Bytes of vmcore a kernel host has sent, holes not counted',
    labels: [],
  },
  fadump_dump_received_bytes_total: {
    kind: 'counter',
    help: 'Bytes of vmcore a collector has written, holes not counted',
    labels: [],
  },
  fadump_dumps_total: { kind: 'counter', help: 'Captures by final status', labels: ['status'] },
  fadump_capture_seconds: {
    kind: 'histogram',
    help: 'Time from claim to stored dump',
    labels: [],
    buckets: seconds,
  },
  fadump_admissions_refused_total: {
    kind: 'counter',
    help: 'Captures that have to wait, by reason: room (on the disk), rate (of their partition)',
    labels: ['reason'],
  },
  fadump_dumps_evicted_total: {
    kind: 'counter',
    help: 'Stored dumps that retention removed, by reason: age, count, bytes, room',
    labels: ['reason'],
  },
  fadump_store_free_bytes: {
    kind: 'gauge',
    help: 'Bytes that the disk of the dump store has left',
    labels: [],
  },
  fadump_store_dumps: { kind: 'gauge', help: 'Dumps of the store by status', labels: ['status'] },
  fadump_store_bytes: {
    kind: 'gauge',
    help: 'Bytes on the disk that the dumps of the store take',
    labels: [],
  },
  fadump_store_findings_total: {
    kind: 'counter',
    help: 'What the look at the store after a start found: resumed, removed, damaged, orphan, foreign',
    labels: ['finding'],
  },
  fadump_scrubbed_bytes_total: {
    kind: 'counter',
    help: 'Bytes of stored dumps that were compared with their manifests again',
    labels: [],
  },
  fadump_dumps_rotten_total: {
    kind: 'counter',
    help: 'Stored dumps whose bytes were not any more what had been verified',
    labels: [],
  },
  fadump_access_refusals_total: {
    kind: 'counter',
    help: 'Requests that were refused because of who made them, by status',
    labels: ['status'],
  },
  fadump_jobs_total: {
    kind: 'counter',
    help: 'Console jobs by operation and outcome',
    labels: ['operation', 'outcome'],
  },
} as const satisfies Record<string, MetricRow>

export type MetricName = keyof typeof metricTable
type Labels = Readonly<Record<string, string>>

/** The metrics of one service instance. */
export interface Metrics {
  readonly contentType: string
  expose(): Promise<string>
  count(name: MetricName, labels?: Labels, by?: number): void
  set(name: MetricName, value: number, labels?: Labels): void
  observe(name: MetricName, value: number, labels?: Labels): void
}

/** A registry of its own per service instance, so that several live in one process. */
export function createMetrics(options: { readonly processMetrics: boolean }): Metrics {
  const registry = new Registry()
  if (options.processMetrics) collectDefaultMetrics({ register: registry })
  const entries = Object.entries(metricTable) as [MetricName, MetricRow][]
  const counters = new Map<string, Counter>()
  const gauges = new Map<string, Gauge>()
  const histograms = new Map<string, Histogram>()
  for (const [name, row] of entries) {
    const common = { name, help: row.help, labelNames: [...row.labels], registers: [registry] }
    if (row.kind === 'counter') counters.set(name, new Counter(common))
    else if (row.kind === 'gauge') gauges.set(name, new Gauge(common))
    else histograms.set(name, new Histogram({ ...common, buckets: [...(row.buckets ?? seconds)] }))
  }
  return {
    contentType: registry.contentType,
    expose: () => registry.metrics(),
    count: (name, labels = {}, by = 1) => counters.get(name)?.inc(labels, by),
    set: (name, value, labels = {}) => gauges.get(name)?.set(labels, value),
    observe: (name, value, labels = {}) => histograms.get(name)?.observe(labels, value),
  }
}
