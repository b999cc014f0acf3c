/** Bugs that show in what follows upon what: the generated sequences find them without having been written for them. */
import { mutantsOf } from '../mutant.ts'

const tests = ['test/sequence/first-sequences.test.ts']
const hypervisor = 'services/hypervisor/src'
const kernel = 'services/lpar-kernel/src'

export const sequenceMutants = mutantsOf([
  {
    file: `${hypervisor}/partition/power.ts`,
    tests,
    bugs: [
      {
        name: 'dump-lost-at-second-reboot',
        what: 'a dump is not presented again when the capture kernel has crashed',
        find: "(record.state === 'terminated' || record.state === 'error')",
        replace: "record.state === 'error'",
      },
    ],
  },
  {
    file: `${hypervisor}/partition/platform-events.ts`,
    tests,
    bugs: [
      {
        name: 'migration-keeps-registration',
        what: 'a registration survives a live migration',
        find: "registration: 'idle' },",
        replace: "registration: 'registered' },",
      },
    ],
  },
  {
    file: `${hypervisor}/faults/armed-faults.ts`,
    tests,
    bugs: [
      {
        name: 'fault-never-spent',
        what: 'an armed fault strikes for ever',
        find: 'fault.hits + 1',
        replace: 'fault.hits',
      },
    ],
  },
  {
    file: 'packages/shared/src/fadump/validate-registration.ts',
    tests,
    bugs: [
      {
        name: 'unregister-while-dump-active',
        what: 'unregister answers 0 while a dump is active',
        find: '    return {\n      status: personality.statusDumpActive,',
        replace: '    return {\n      status: rtasStatus.success,',
      },
    ],
  },
  {
    file: 'packages/shared/src/fadump/preserve-plan.ts',
    tests,
    bugs: [
      {
        name: 'boot-memory-copied-a-page-too-low',
        what: 'the copy of boot memory lies 64 KiB below its destination',
        find: "return source === target ? none : { kind: 'copy', source, target, length }",
        replace:
          "return source === target ? none : { kind: 'copy', source, target: realAddress(target - 65536n), length }",
      },
    ],
  },
  {
    file: `${kernel}/fadump/profile-rules.ts`,
    tests,
    bugs: [
      {
        name: 'no-second-registration',
        what: 'a modern kernel refuses to register again instead of doing so',
        find: "whenAlreadyRegistered: 'register again'",
        replace: "whenAlreadyRegistered: 'EEXIST'",
      },
    ],
  },
  {
    file: `${kernel}/sysfs/fadump-writes.ts`,
    tests,
    bugs: [
      {
        name: 'second-release-einval',
        what: 'a second release answers EINVAL instead of EPERM',
        find: "return errnoProblem('EPERM', releasePath, 'no dump",
        replace: "return errnoProblem('EINVAL', releasePath, 'no dump",
      },
      {
        name: 'no-registration-after-release',
        what: 'the dump service does not register again once the dump is released',
        find: '    )\n  }\n  await runDumpService(kernel)\n',
        replace: '    )\n  }\n',
      },
    ],
  },
  {
    file: `${kernel}/panic/shutdown.ts`,
    tests,
    bugs: [
      {
        name: 'shutdown-keeps-the-dump',
        what: 'an orderly shutdown does not invalidate an active dump',
        find: '  if (fadump.isDumpActive) await invalidateDump(kernel)\n  else if',
        replace: '  if',
      },
    ],
  },
  {
    file: `${kernel}/kernel/kernel-host.ts`,
    tests,
    bugs: [
      {
        name: 'halted-kernel-answers',
        what: 'a kernel that has stopped with panic=0 still serves its files',
        find: 'if (isHalted || kexec !== undefined) return undefined',
        replace: 'if (kexec !== undefined) return undefined',
      },
    ],
  },
])
