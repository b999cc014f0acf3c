/** Bugs in the hypervisor. */
import { mutantsOf } from '../mutant.ts'

const source = 'services/hypervisor/src'

export const firmwareMutants = mutantsOf([
  {
    file: `${source}/rtas/os-term.ts`,
    tests: [`${source}/rtas/os-term.test.ts`, `${source}/partition/lifecycle.test.ts`],
    bugs: [
      {
        name: 'dump-id-without-incarnation',
        what: 'a partition made anew under an old name gives its dump the id of an old one',
        find: '`${record.id}-${record.incarnation}-${crashes}`',
        replace: '`${record.id}-${crashes}`',
      },
    ],
  },
  {
    file: `${source}/partition/vcpus.ts`,
    tests: [`${source}/partition/vcpus.test.ts`, `${source}/fadump/preserve.test.ts`],
    bugs: [
      {
        name: 'offline-cpu-saved',
        what: 'a CPU that the kernel has taken offline is in the register save area',
        find: 'online: online === 1,',
        replace: 'online: true,',
      },
    ],
  },
  {
    file: `${source}/partition/power.ts`,
    tests: [`${source}/partition/lifecycle.test.ts`],
    bugs: [
      {
        name: 'registration-outlives-the-restart',
        what: 'a restarted partition is still registered under PAPR',
        find: "record: { ...rest, registration: 'idle' }",
        replace: 'record: { ...rest, registration: record.registration }',
      },
      {
        name: 'memory-outlives-power-off',
        what: 'a partition that was powered off keeps its memory',
        find: 'memory: { clears: [wholeMemory(record)], nextEpoch: true }',
        replace: 'memory: { nextEpoch: true }',
      },
    ],
  },
  {
    file: `${source}/partition/dump-given-up.ts`,
    tests: [`${source}/partition/lifecycle.test.ts`],
    bugs: [
      {
        name: 'invalidated-dump-still-pending',
        what: 'a dump that its kernel has released is still waiting afterwards',
        find: 'record: { ...rest, registration: ',
        replace: 'record: { ...record, registration: ',
      },
    ],
  },
  {
    file: `${source}/partition/partitions.ts`,
    tests: [`${source}/partition/lifecycle.test.ts`],
    bugs: [
      {
        name: 'partition-committed-blindly',
        what: 'a step of a partition is committed over what somebody else has done meanwhile',
        find: 'expect: { version: held.version, epoch: held.epoch }',
        replace: 'expect: {}',
      },
    ],
  },
])
