/** What can go wrong between a partition and its firmware: registration, crash, capture kernel. */
import type { FailureRow } from './failure-row.ts'

export const failuresOfPartitions: Readonly<Record<number, FailureRow>> = {
  1: {
    statement: 'Registering twice',
    tests: [
      [
        'services/hypervisor/src/rtas/configure-kernel-dump.test.ts',
        'C012 a second registration answers -9 and keeps the first',
      ],
    ],
  },
  2: {
    statement: 'Registering while a dump is active',
    tests: [
      [
        'packages/shared/src/fadump/validate-registration.test.ts',
        'C013 while a dump is active gives',
      ],
      [
        'services/lpar-kernel/src/sysfs/sysfs.test.ts',
        'C131 writing to registered while a dump is active is EPERM, whatever is written',
      ],
    ],
  },
  3: {
    statement: 'A structure with too many sections, another version, or a place it may not have',
    tests: [
      [
        'services/hypervisor/src/rtas/configure-kernel-dump.test.ts',
        'C016 ten sections are accepted, eleven answer -3',
      ],
      [
        'packages/shared/src/fadump/validate-registration.test.ts',
        'C015 a version other than 1 gives',
      ],
    ],
  },
  4: {
    statement: 'Unregistering and invalidating what is not there',
    tests: [
      [
        'services/hypervisor/src/rtas/configure-kernel-dump.test.ts',
        'C022 invalidate without an active dump answers -3 and keeps the registration',
      ],
      [
        'services/hypervisor/src/rtas/configure-kernel-dump.test.ts',
        'unregister drops the registration with status 0, also when there is none',
      ],
    ],
  },
  5: {
    statement: 'A section whose source lies outside of memory',
    tests: [
      [
        'packages/shared/src/fadump/preserve-plan.test.ts',
        'C039 for a source outside memory has error 0x4000',
      ],
      ['services/hypervisor/src/fadump/preserve.test.ts', '; the section beside it is dumped'],
    ],
  },
  6: {
    statement: 'A destination that overlaps a source',
    tests: [['packages/shared/src/store/conformance/model.conformance.ts', 'memory']],
    limit: 'A destination may overlap a source',
  },
  7: {
    statement: 'A crash before the registration is complete',
    tests: [
      ['test/system/failure-matrix-operations.test.ts', 'C024 a crash before registration'],
      ['services/hypervisor/src/recovery.test.ts', 'does not keep a dump from being taken'],
    ],
  },
  8: {
    statement: 'Memory added or removed between registration and crash',
    tests: [
      [
        'services/lpar-kernel/src/sysfs/dlpar.test.ts',
        'C104 modern: it is in the dump without another registration',
      ],
      [
        'services/lpar-kernel/src/sysfs/dlpar.test.ts',
        'C104 v5: it is missing until the next registration',
      ],
    ],
  },
  9: {
    statement: 'Registered data overwritten after the call',
    tests: [
      [
        'services/lpar-kernel/src/fadump/registration.test.ts',
        'C020 what the kernel writes over its structure after registration does not matter',
      ],
    ],
  },
  10: {
    statement: 'A power cycle of a registered partition',
    tests: [
      ['services/hypervisor/src/partition/lifecycle.test.ts', 'what a boot or a power off ends'],
      [
        'services/hypervisor/src/partition/lifecycle.test.ts',
        'C012 a restarted partition is not registered any more',
      ],
    ],
  },
  11: {
    statement: 'Writers of the same sysfs file at once',
    tests: [
      ['services/lpar-kernel/src/sysfs/sysfs.test.ts', 'C138 writers of registered take turns'],
      [
        'services/lpar-kernel/src/sysfs/sysfs.test.ts',
        'of two releases at once exactly one reaches firmware',
      ],
    ],
  },
  12: {
    statement: 'A second crash while the capture kernel runs',
    tests: [
      ['test/system/failure-matrix-operations.test.ts', 'C119 a crash of the capture kernel'],
      ['test/system/service-faults.test.ts', 'crash-in-capture-kernel'],
    ],
  },
  13: {
    statement: 'A partition that crashes at every boot',
    tests: [
      [
        'services/dump-collector/test/admission.test.ts',
        'gets so many captures an hour; others are not held up, and it goes on by itself',
      ],
      ['test/system/service-faults.test.ts', 'crash-loop'],
    ],
  },
  14: {
    statement: 'A crash on any CPU, and with CPUs offline',
    tests: [
      [
        'services/lpar-kernel/src/panic/crash.test.ts',
        'C060 a CPU that is offline leaves no note, and cannot crash',
      ],
    ],
  },
  15: {
    statement: 'A dump restart in the wrong state',
    tests: [
      ['services/hypervisor/src/partition/system-reset.test.ts', 'system reset'],
      ['services/lpar-kernel/src/panic/crash.test.ts', 'one for an earlier boot is stale'],
    ],
  },
  16: {
    statement: 'A console that restarts in the middle of an operation',
    tests: [['test/system/service-faults.test.ts', 'events.append:succeed']],
    limit: 'Sessions live in the memory of one console',
  },
  17: {
    statement: 'Partitions that crash in the same second',
    tests: [
      [
        'test/system/many-partitions.test.ts',
        'a hundred that crash at once give a hundred complete dumps and run again',
      ],
    ],
    limit: 'A thousand partitions',
  },
  18: {
    statement: 'A hypervisor that dies while it preserves',
    tests: [
      [
        'services/hypervisor/src/recovery.test.ts',
        'leaves no dump or a whole one to the next process',
      ],
      ['test/system/service-faults.test.ts', 'torn-hand-over'],
    ],
  },
  19: {
    statement: 'A kernel that dies without a word',
    tests: [
      ['services/hypervisor/src/partition/platform-events.test.ts', 'a kill by the hypervisor'],
      [
        'services/hypervisor/src/partition/automatic-dump.test.ts',
        'a system reset without ibm,nmi-interlock',
      ],
    ],
  },
  20: {
    statement: 'Boot memory one MiB below what is needed',
    tests: [
      [
        'test/boundary/least-boot-memory-01.test.ts',
        'one MiB below the least boot memory fails as rehearsed',
      ],
      [
        'services/lpar-kernel/src/capture-memory/boundary.test.ts',
        'one MiB below it the capture boot fails with the predicted sentence',
      ],
    ],
  },
  21: {
    statement: 'A network card with more queues than expected',
    tests: [['test/system/service-faults.test.ts', 'capture-oom']],
  },
  22: {
    statement: 'A full root file system in the capture kernel',
    tests: [
      [
        'test/system/capture-memory.test.ts',
        'C154 a full root file system panics; firmware presents the dump again',
      ],
    ],
  },
  23: {
    statement: 'Threads of makedumpfile that do not fit',
    tests: [
      [
        'packages/shared/src/capture-memory/evaluate.test.ts',
        'makedumpfile starts fewer threads than it was asked for',
      ],
    ],
  },
  24: {
    statement: 'Memory that ends in mid-copy',
    tests: [
      [
        'test/system/capture-memory.test.ts',
        'killed in mid-copy: what came through is stored as partial with its missing ranges',
      ],
    ],
  },
  25: {
    statement: 'Every failure action on every failure',
    tests: [
      [
        'test/system/capture-memory.test.ts',
        'C154 a clean reboot, halt or power off after the failure invalidates the dump',
      ],
      ['test/system/capture-memory.test.ts', 'dump to fallback: the network is given up'],
    ],
  },
}
