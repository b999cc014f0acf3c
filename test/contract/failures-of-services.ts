/** What can go wrong around partitions: transfer, store, Redis, attackers, and the tests themselves. */
import type { FailureRow } from './failure-row.ts'

export const failuresOfServices: Readonly<Record<number, FailureRow>> = {
  26: {
    statement: 'A connection that breaks at byte N',
    tests: [
      ['packages/shared/src/faults/faulty-fetch.test.ts', 'has brought all before it'],
      [
        'services/dump-collector/test/resume.test.ts',
        'before the place where the connection broke',
      ],
      ['test/system/service-faults.test.ts', 'connection-reset'],
    ],
  },
  27: {
    statement: 'A half-open connection',
    tests: [
      ['services/dump-collector/test/resume.test.ts', 'when a kernel falls silent'],
      ['test/system/service-faults.test.ts', 'half-open'],
    ],
  },
  28: {
    statement: 'A bit that flips on the wire',
    tests: [
      ['services/dump-collector/test/verification.test.ts', ' is fetched once more'],
      ['test/system/service-faults.test.ts', 'bit-flip'],
    ],
  },
  29: {
    statement: 'Pieces twice or in another order',
    tests: [
      [
        'services/dump-collector/test/hostile-stream.test.ts',
        'a stream is refused, and the partition keeps its memory, when',
      ],
      ['test/system/service-faults.test.ts', 'stream-reordered'],
    ],
  },
  30: {
    statement: 'A stream that ends early as if it were whole',
    tests: [
      [
        'services/dump-collector/test/resume.test.ts',
        'where the bytes on disk end when the stream ends early, within the same run',
      ],
      ['test/system/service-faults.test.ts', 'stream-truncated'],
    ],
  },
  31: {
    statement: 'Latency, narrow lines, loss',
    tests: [
      ['test/system/service-faults.test.ts', 'latency'],
      ['test/system/service-faults.test.ts', 'slow-reader'],
    ],
    limit: 'Loss of packets',
  },
  32: {
    statement: 'Slow senders that others have to wait for',
    tests: [
      [
        'services/dump-collector/test/together.test.ts',
        'of several partitions are collected at the same time, up to the bound',
      ],
      ['test/system/service-faults.test.ts', 'slow-sender'],
    ],
    limit: 'Slow senders',
  },
  33: {
    statement: 'A collector killed at any byte',
    tests: [
      [
        'test/system/collector-handover.test.ts',
        'costs at most one window: another collector goes on from the last checkpoint',
      ],
      [
        'services/dump-collector/test/kill.test.ts',
        'a collector that dies leaves no dump or a complete one',
      ],
    ],
  },
  34: {
    statement: 'A collector killed between rename and record',
    tests: [
      ['services/dump-collector/test/kill.test.ts', 'at any change of the disk when'],
      ['test/system/service-faults.test.ts', 'files.rename'],
    ],
  },
  35: {
    statement: 'fsync that fails',
    tests: [
      [
        'services/dump-collector/src/faults/faulty-files.test.ts',
        'what an fsync that fails was for is not on the disk',
      ],
      ['test/system/service-faults.test.ts', 'fsync-error'],
    ],
  },
  36: {
    statement: 'Two who send the same dump',
    tests: [
      [
        'services/dump-collector/test/together.test.ts',
        'may both hold a job whose lease was lost: only the later one writes to the end',
      ],
      [
        'test/system/forgery.test.ts',
        'for the dump of another partition, another crash or another boot gets nothing',
      ],
    ],
  },
  37: {
    statement: 'A clock that jumps a day',
    tests: [['test/system/service-faults.test.ts', 'clock-jump']],
  },
  38: {
    statement: 'A certificate that ends while dumps are sent',
    limit: 'TLS ends at the console',
  },
  39: {
    statement: 'No route to the collector’s peer',
    tests: [
      [
        'services/dump-collector/test/resume.test.ts',
        'in a later run when the kernel host does not answer',
      ],
      ['test/system/service-faults.test.ts', 'connection-refused'],
    ],
  },
  40: {
    statement: 'The flattened stream and the file it stands for',
    tests: [
      [
        'services/dump-collector/test/happy-path.test.ts',
        'byte for byte, verified, stored under its name, and only then released',
      ],
      ['packages/shared/src/elf/flattened.test.ts', 'makedumpfile’s flattened format'],
    ],
  },
  41: {
    statement: 'A disk that is full at byte N',
    tests: [
      [
        'services/dump-collector/test/disk-full.test.ts',
        'is named while the job waits, and the transfer goes on where it stopped when there is room',
      ],
      [
        'services/dump-collector/test/admission.test.ts',
        'takes it from older dumps of its own partition, and from no other',
      ],
      ['test/system/service-faults.test.ts', 'disk-full'],
    ],
  },
  42: {
    statement: 'Captures that together need more than the disk has',
    tests: [
      [
        'services/dump-collector/test/admission.test.ts',
        'does not count on the room that another capture is going to fill',
      ],
    ],
  },
  43: {
    statement: 'Bits that rot',
    tests: [
      [
        'services/dump-collector/test/scrub.test.ts',
        'finds a flipped bit: the dump is partial from then on, with the exact bytes',
      ],
      ['test/system/service-faults.test.ts', 'bit-rot'],
    ],
  },
  44: {
    statement: 'Quotas that do not touch the neighbour',
    tests: [
      [
        'services/dump-collector/test/admission.test.ts',
        'takes it from older dumps of its own partition, and from no other',
      ],
    ],
  },
  45: {
    statement: 'Retention while somebody downloads',
    limit: 'A download of a dump that is removed meanwhile',
  },
  46: {
    statement: 'An index and a disk that disagree',
    tests: [
      ['services/dump-collector/test/scrub.test.ts', 'labels a dump whose vmcore is'],
      [
        'services/dump-collector/test/store-api.test.ts',
        'are found by a collector that starts on the same root, foreign files are left alone',
      ],
    ],
  },
  47: {
    statement: 'A million tiny dumps, and one of 1 TiB',
    tests: [
      [
        'services/dump-collector/test/large.test.ts',
        'a vmcore of 1 TiB of which 64 MiB are populated',
      ],
    ],
    limit: 'A million dumps',
  },
  48: {
    statement: 'Redis killed',
    tests: [
      ['packages/shared/src/queue/bullmq-queues.test.ts', 'a Redis that goes away'],
      ['test/system/service-faults.test.ts', 'redis-control-restart'],
    ],
  },
  49: {
    statement: 'Failover to a replica that is behind',
    limit: 'Redis replicas',
  },
  50: {
    statement: 'Redis that is full',
    tests: [
      [
        'packages/shared/src/store/redis-memory-store.faults.redis.test.ts',
        'a full Redis takes no pages, but states and everything that frees memory',
      ],
    ],
    limit: 'evicting policy',
  },
  51: {
    statement: 'Redis that restarts while workers wait',
    tests: [
      ['packages/shared/src/queue/bullmq-queues.test.ts', 'a Redis that goes away'],
      [
        'test/system/containers/faults.test.ts',
        'redis-control is restarted in the middle of crashes',
      ],
    ],
  },
  52: {
    statement: 'A job that stalls',
    tests: [
      [
        'packages/shared/src/queue/bullmq-queues.test.ts',
        'a job whose lease is taken away sees its signal abort, and is run again',
      ],
      ['test/system/service-faults.test.ts', 'job-stalled'],
    ],
  },
  53: {
    statement: 'Everybody who connects again at once',
    limit: 'Back-off has no jitter',
  },
  54: {
    statement: 'Keys that are lost',
    tests: [
      [
        'services/hypervisor/src/frame/power-failure.test.ts',
        'a partition that has lost its memory can be activated again',
      ],
      [
        'services/dump-collector/test/resume.test.ts',
        'without any announcement when the queue is lost with the collector',
      ],
    ],
  },
  55: {
    statement: 'A cluster whose minority goes on',
    limit: 'Redis replicas',
  },
  56: {
    statement: 'Forged identities on every route',
    tests: [
      ['test/contract/access.test.ts', 'every route lets in whom it declares, and nobody else'],
      ['test/system/forgery.test.ts', 'by services whose work it is not is refused and told'],
    ],
  },
  57: {
    statement: 'Names that lead out of the store',
    tests: [
      [
        'services/dump-collector/test/store-api.test.ts',
        'cannot be asked for by a name that is no id',
      ],
      [
        'packages/shared/src/http/serve.test.ts',
        'a parameter never makes another path of a request',
      ],
    ],
  },
  58: {
    statement: 'Hostile ELF files and compression bombs',
    tests: [
      ['services/hypervisor/src/images/refused-images.test.ts', 'a file that is no usable vmcore'],
      [
        'test/system/hostile-images.test.ts',
        'a hostile vmcore is refused by name and leaves nothing behind',
      ],
    ],
  },
  59: {
    statement: 'Canaries in partition memory',
    tests: [['test/system/canary.test.ts', 'not in jobs, events, logs or answers']],
    limit: 'Canaries in partition memory',
  },
  60: {
    statement: 'Dumps encrypted to a key kept elsewhere',
    limit: 'Stored dumps are not encrypted',
  },
  61: {
    statement: 'Redaction',
    limit: 'Stored dumps are not encrypted',
  },
  62: {
    statement: 'An old manifest replayed',
    tests: [
      [
        'packages/shared/src/identity/dump-token.test.ts',
        'is not proven when any field of it is changed',
      ],
    ],
    limit: 'Manifests carry no signature',
  },
  63: {
    statement: 'Oversized and deeply nested JSON',
    tests: [
      [
        'services/hypervisor/src/partition/inventory.test.ts',
        'an oversized body is refused before it is read whole: payload-too-large',
      ],
      ['test/system/bad-input.test.ts', 'a refused request says why and leaves nothing behind'],
    ],
  },
  64: {
    statement: 'Faults of a room in which they are not enabled',
    tests: [['test/system/faults.test.ts', 'takes none, in no process, and says so']],
  },
  65: {
    statement: 'A log that somebody changes afterwards',
    limit: 'The event stream is no chain',
  },
  66: {
    statement: 'Images by digest, builds without a network, SBOM',
    tests: [['test/style/tidy.test.ts', 'the lock file']],
    limit: 'base images are named by tag',
  },
  67: {
    statement: 'Keys of the harness in memory images',
    tests: [['test/system/canary.test.ts', 'neither keys, nor tokens, nor passwords']],
  },
  68: {
    statement: 'Planted bugs',
    tests: [['test/mutate/table.test.ts', 'the planted bugs of npm run mutate']],
  },
  69: {
    statement: 'The same seed twice',
    tests: [
      [
        'packages/shared/src/queue/in-process-queues.test.ts',
        'the same seed gives the same run, whatever fails, stops and dies on the way',
      ],
    ],
  },
  70: {
    statement: 'A fault that never strikes',
    tests: [['test/system/service-faults.test.ts', 'every fault of services has a row']],
  },
}
