/** Faults of what services stand on: network, disk, clock, queues, Redis, their own process; and of partitions’ lives. */
import type { FaultRow } from './fault-row.ts'

const every = ['hypervisor', 'lpar-kernel', 'dump-collector', 'hmc-api'] as const
const onMemory = ['hypervisor', 'lpar-kernel'] as const
const workers = ['lpar-kernel', 'dump-collector'] as const
const collector = ['dump-collector'] as const
const console = ['hmc-api'] as const

/** What a collector reads of a capture kernel. Everything it gets there is checked against digests. */
const streams = ['readVmcore', 'readVmcoreManifest'] as const

const resumed =
  'the collector asks again from its last durable byte; the stored dump is complete and verified'

const network = {
  'connection-refused': {
    point: 'network',
    services: every,
    does: 'The request is not sent: nobody listens',
    value: 'none',
    place: 'operation',
    expects: {
      holds: ['I1', 'I2', 'I3'],
      outcome: 'a user is told dependency-unavailable; work between services is tried again',
    },
    catalogue: [39],
  },
  'connection-reset': {
    point: 'network',
    services: every,
    does: 'The connection breaks after so many bytes of the reply; 0: before the reply, but after the request was served',
    value: 'bytes',
    default: 0,
    place: 'operation',
    expects: { holds: ['I1', 'I2', 'I3'], outcome: resumed },
    catalogue: [26],
  },
  'half-open': {
    point: 'network',
    services: every,
    does: 'After so many bytes of the reply nothing comes any more and the connection stays; given up after 300 s, as fetch does',
    value: 'bytes',
    default: 0,
    place: 'operation',
    expects: {
      holds: ['I1', 'I3', 'I4'],
      outcome: 'the silence is noticed after the idle timeout, then as for a reset',
    },
    catalogue: [27],
  },
  'bit-flip': {
    point: 'network',
    services: collector,
    does: 'The lowest bit of that byte of the stream is inverted',
    value: 'bytes',
    default: 8192,
    place: 'operation',
    places: streams,
    expects: {
      holds: ['I1'],
      outcome: 'the verification finds the part, fetches it again, and the dump is complete',
    },
    catalogue: [28],
  },
  'stream-truncated': {
    point: 'network',
    services: collector,
    does: 'The stream ends after so many bytes as if that were all',
    value: 'bytes',
    default: 8192,
    place: 'operation',
    places: streams,
    expects: { holds: ['I1', 'I2'], outcome: resumed },
    catalogue: [30],
  },
  'stream-duplicated': {
    point: 'network',
    services: collector,
    does: 'The record (of a manifest: the line) of that number comes twice',
    value: 'count',
    default: 1,
    place: 'operation',
    places: streams,
    expects: {
      holds: ['I1', 'I3'],
      outcome: 'the repetition is refused or changes nothing; the dump is complete and verified',
    },
    catalogue: [29],
  },
  'stream-reordered': {
    point: 'network',
    services: collector,
    does: 'The record (of a manifest: the line) of that number comes after the next one',
    value: 'count',
    default: 1,
    place: 'operation',
    places: streams,
    expects: {
      holds: ['I1', 'I3'],
      outcome: 'the order is refused and asked for again; the dump is complete and verified',
    },
    catalogue: [29],
  },
  'slow-reader': {
    point: 'network',
    services: collector,
    does: 'The reply is read piece by piece, each so many milliseconds after the one before',
    value: 'ms',
    default: 20,
    place: 'operation',
    places: streams,
    expects: { holds: ['I4'], outcome: 'the sender waits; the dump is complete and verified' },
    catalogue: [31],
  },
  'slow-sender': {
    point: 'network',
    services: collector,
    does: 'The first MiB of the reply comes in pieces of 4 KiB, so many milliseconds apart',
    value: 'ms',
    default: 2,
    place: 'operation',
    places: streams,
    expects: { holds: ['I4'], outcome: 'others go on; the dump is complete and verified' },
    catalogue: [31, 32],
  },
  latency: {
    point: 'network',
    services: every,
    does: 'The request is sent so many milliseconds late',
    value: 'ms',
    default: 100,
    place: 'operation',
    expects: { holds: ['I1', 'I4'], outcome: 'everything takes longer, nothing else changes' },
    catalogue: [31],
  },
} as const satisfies Readonly<Record<string, FaultRow>>

const ground = {
  'disk-full': {
    point: 'disk',
    services: collector,
    does: 'A write that goes beyond that byte of the file ends there with ENOSPC',
    value: 'bytes',
    default: 0,
    place: 'file',
    expects: {
      holds: ['I1', 'I2', 'I3'],
      outcome:
        'the capture waits and goes on when there is room; the partition keeps its memory meanwhile',
    },
    catalogue: [41],
  },
  'fsync-error': {
    point: 'disk',
    services: collector,
    does: 'What was written does not reach the disk: fsync fails with EIO',
    value: 'none',
    place: 'file',
    expects: {
      holds: ['I1', 'I2'],
      outcome: 'nothing is called stored on its account; the capture is tried again',
    },
    catalogue: [35],
  },
  'bit-rot': {
    point: 'disk',
    services: collector,
    does: 'The lowest bit of that byte of the file has changed on the disk when it is opened to be read',
    value: 'bytes',
    default: 4096,
    place: 'file',
    places: ['vmcore'],
    expects: {
      holds: ['I1'],
      outcome:
        'before the dump is stored the part is fetched again; afterwards a scrub finds it and marks the dump failed',
    },
    catalogue: [43],
  },
  'clock-jump': {
    point: 'clock',
    services: every,
    does: 'The time of day jumps by so many milliseconds, backwards when negative; timers go on as before',
    value: 'ms',
    default: 86_400_000,
    place: 'none',
    expects: {
      holds: ['I1', 'I3', 'I4'],
      outcome: 'no timeout comes early or late; the dump is complete and verified',
    },
    catalogue: [37],
  },
  'queue-redelivery': {
    point: 'queue',
    services: workers,
    does: 'A job that has been completed is delivered once more',
    value: 'none',
    place: 'queue',
    expects: { holds: ['I3'], outcome: 'the second run changes nothing: one crash, one dump' },
    catalogue: [36, 52],
  },
  'job-stalled': {
    point: 'queue',
    services: workers,
    does: 'After so many milliseconds a running job counts as dead and is given to another run beside it',
    value: 'ms',
    default: 0,
    place: 'queue',
    expects: { holds: ['I1', 'I3'], outcome: 'the run that lost the job writes nothing more' },
    catalogue: [52],
  },
  'redis-memory-restart': {
    point: 'redis-memory',
    services: onMemory,
    does: 'From this call on the memory store answers nothing for so many milliseconds',
    value: 'ms',
    default: 200,
    place: 'store-call',
    expects: {
      holds: ['I1', 'I2', 'I3'],
      outcome: 'requests are refused with 503 or tried again; no memory changes half',
    },
    catalogue: [48, 51],
  },
  'torn-hand-over': {
    point: 'redis-memory',
    services: onMemory,
    does: 'A commit that moves memory has no answer: 0, it did not happen; 1, it did',
    value: 'moment',
    default: 0,
    place: 'none',
    expects: {
      holds: ['I1', 'I3'],
      outcome: 'memory and records are those of before or of after, and the work is finished',
    },
    catalogue: [7, 18],
  },
  'redis-control-restart': {
    point: 'redis-control',
    services: every,
    does: 'From this call on queues and event stream answer nothing for so many milliseconds',
    value: 'ms',
    default: 200,
    place: 'none',
    expects: {
      holds: ['I3'],
      outcome: 'what has to be announced is announced again; an event may be missing, no dump is',
    },
    catalogue: [48, 51],
  },
  'process-abort': {
    point: 'process',
    services: every,
    does: 'The process ends at a step: 0, before it; 1, after it. Exit code 70, nothing is tidied up',
    value: 'moment',
    default: 0,
    place: 'step',
    expects: {
      holds: ['I1', 'I2', 'I3'],
      outcome: 'the next process goes on from what is durable',
    },
    catalogue: [18, 33, 34],
  },
} as const satisfies Readonly<Record<string, FaultRow>>

const life = {
  'crash-in-capture-kernel': {
    point: 'life',
    services: console,
    does: 'The capture kernel crashes as soon as it is up',
    value: 'none',
    place: 'none',
    expects: {
      holds: ['I1', 'I2', 'I3'],
      outcome:
        'the first dump is kept and captured after the next restart, or its loss is recorded',
    },
    catalogue: [12],
  },
  'second-crash': {
    point: 'life',
    services: console,
    does: 'The partition crashes again as soon as its dump has been released',
    value: 'none',
    place: 'none',
    expects: { holds: ['I3'], outcome: 'two crashes, two dumps' },
    catalogue: [12],
  },
  'crash-loop': {
    point: 'life',
    services: console,
    does: 'The kernel crashes as soon as a boot or the end of a capture has brought it up',
    value: 'none',
    place: 'none',
    expects: {
      holds: ['I3', 'I4'],
      outcome: 'each crash has its dump or a recorded reason; others are not held up',
    },
    catalogue: [13],
  },
  'capture-oom': {
    point: 'life',
    services: console,
    does: 'The kernel crashes as soon as it is up, and its capture settings then ask for more memory than there is',
    value: 'none',
    place: 'none',
    expects: {
      holds: ['I1', 'I2'],
      outcome:
        'the phase that ran out of memory is named; the partition keeps its memory, and a restart with settings that fit captures the dump',
    },
    catalogue: [20, 24],
  },
} as const satisfies Readonly<Record<string, FaultRow>>

export const serviceFaults = { ...network, ...ground, ...life } as const
