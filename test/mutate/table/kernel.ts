/** Bugs in the partition's kernel. */
import { mutantsOf } from '../mutant.ts'

const source = 'services/lpar-kernel/src'

export const kernelMutants = mutantsOf([
  {
    file: `${source}/capture-memory/capture-arguments.ts`,
    tests: [`${source}/capture-memory/capture-arguments.test.ts`],
    bugs: [
      {
        name: 'capture-ignores-nr-cpus',
        what: 'the memory of a capture kernel is told without nr_cpus=',
        find: 'const nrCpus = cpuLimitsOf(commandLine, Infinity).nrCpuIds',
        replace: 'const nrCpus: number = Infinity',
      },
    ],
  },
  {
    file: `${source}/sysfs/access.ts`,
    tests: [`${source}/sysfs/sysfs.test.ts`],
    bugs: [
      {
        name: 'fadump-mutex-missing',
        what: 'two writers of fadump_registered run at the same time',
        find: 'await host.fadumpMutex.run(partition, async () => {',
        replace: 'await host.fadumpMutex.run(`${partition} ${performance.now()}`, async () => {',
      },
    ],
  },
  {
    file: `${source}/panic/system-resets.ts`,
    tests: [`${source}/death.test.ts`],
    bugs: [
      {
        name: 'reset-dies-with-its-host',
        what: 'a system reset is known to the host alone that has taken it',
        find: 'queues.open(systemResetQueue).add(jobIdOf(job), job)',
        replace: 'Promise.reject(new Error(`no job for ${jobIdOf(job)}`))',
      },
    ],
  },
  {
    file: `${source}/panic/crash.ts`,
    tests: [`${source}/panic/system-reset.test.ts`],
    bugs: [
      {
        name: 'stopped-cpus-in-mask',
        what: 'CPUs that panic() of 3.4 has stopped count as online in the dump',
        find: 'return isStopped ? [cpu] : onlineCpus(record)',
        replace: 'return onlineCpus(record)',
      },
    ],
  },
  {
    file: `${source}/panic/causes.ts`,
    tests: [`${source}/panic/system-reset.test.ts`],
    bugs: [
      {
        name: 'reset-wait-doubled',
        what: 'the first CPU waits a second for the others',
        find: '{ v5: 0, modern: 499 }',
        replace: '{ v5: 0, modern: 999 }',
      },
    ],
  },
  {
    file: `${source}/panic/shutdown.ts`,
    tests: [`${source}/panic/shutdown.test.ts`],
    bugs: [
      {
        name: 'kexec-keeps-registration',
        what: 'kexec does not go through machine_shutdown',
        find: 'await machineShutdown(kernel)',
        replace: "if (request.action !== 'kexec') await machineShutdown(kernel)",
      },
    ],
  },
  {
    file: `${source}/sysfs/cpu-hotplug.ts`,
    tests: [`${source}/sysfs/cpu-hotplug.test.ts`],
    bugs: [
      {
        name: 'removed-cpu-still-online',
        what: 'a processor that is removed goes on running',
        find: 'if (online.includes(cpu)) await setOnline(kernel, cpu, false)',
        replace: '',
      },
    ],
  },
  {
    file: `${source}/firmware/firmware-client.ts`,
    tests: [`${source}/fadump/registration.test.ts`],
    bugs: [
      {
        name: 'retry-without-delay',
        what: 'a busy firmware is asked again at once',
        find: 'await this.#clock.sleep(delayMs, this.#signal)',
        replace: '',
      },
    ],
  },
  {
    file: `${source}/fadump/profile-rules.ts`,
    tests: [`${source}/fadump/registration.test.ts`, `${source}/sysfs/sysfs.test.ts`],
    bugs: [
      {
        name: 'already-registered-is-a-failure',
        what: 'after -9 a v5 kernel thinks that it is not registered',
        find: "already  registered.',\n      level: error,\n      isRegistered: true,",
        replace: "already  registered.',\n      level: error,\n      isRegistered: false,",
      },
    ],
  },
  {
    file: `${source}/vmcore/open-vmcore.ts`,
    tests: [`${source}/vmcore/streams.test.ts`],
    bugs: [
      {
        name: 'released-dump-still-read',
        what: 'a reader of /proc/vmcore goes on over memory that has been released',
        find: 'if (!presents(loaded?.record, { dump, epoch })) throw cutOff(dump)',
        replace: '',
      },
    ],
  },
  {
    file: `${source}/vmcore/pieces.ts`,
    tests: [`${source}/vmcore/streams.test.ts`],
    bugs: [
      {
        name: 'last-granule-dropped',
        what: 'a run of populated pages at the end of a window is not sent',
        find: 'yield { offset: window.offset + BigInt(start), bytes: bytes.subarray(start) }',
        replace: '',
      },
      {
        name: 'resume-repeats-bytes',
        what: 'a transfer that goes on in the middle of a piece sends its beginning again',
        find: 'const start = largest(piece.offset, from)',
        replace: 'const start = piece.offset',
      },
    ],
  },
])
