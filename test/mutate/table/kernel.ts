/** Bugs in the partition's kernel. */
import { mutantsOf } from '../mutant.ts'

const source = 'services/lpar-kernel/src'

export const kernelMutants = mutantsOf([
  {
    file: `${source}/sysfs/access.ts`,
    tests: [`${source}/sysfs/sysfs.test.ts`],
    bugs: [
      {
        name: 'fadump-mutex-missing',
        what: 'two writers of fadump_registered run at the same time',
        find: 'await host.fadumpMutex.run(request.partition, async () => {',
        replace:
          'await host.fadumpMutex.run(`${request.partition} ${performance.now()}`, async () => {',
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
