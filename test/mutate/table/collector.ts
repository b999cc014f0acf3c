/** Bugs in the dump collector. */
import { mutantsOf } from '../mutant.ts'

const source = 'services/dump-collector/src'
const tests = 'services/dump-collector/test'

export const collectorMutants = mutantsOf([
  {
    file: `${source}/collect/store.ts`,
    tests: [`${tests}/release.test.ts`, `${tests}/happy-path.test.ts`, `${tests}/kill.test.ts`],
    bugs: [
      {
        name: 'early-release',
        what: 'the partition is released before its dump has its final name',
        find: 'const { clock, metrics } = capture.tools',
        replace:
          'await capture.kernel.release(capture.signal)\n  const { clock, metrics } = capture.tools',
      },
    ],
  },
  {
    file: `${source}/collect/capture.ts`,
    tests: [`${tests}/happy-path.test.ts`, `${tests}/together.test.ts`, `${tests}/kill.test.ts`],
    bugs: [
      {
        name: 'rename-forgotten',
        what: 'a complete dump keeps .incomplete in its name',
        find: 'if (outcome.publish === true) await this.publish()',
        replace: '',
      },
      {
        name: 'rename-not-durable',
        what: 'the partition is released while the final name of its dump is not on the disk',
        find: 'await files.syncDirectory(parentOf(root, final))',
        replace: '',
      },
      {
        name: 'owner-not-checked',
        what: 'a run that has lost its claim goes on writing',
        find: 'if (onDisk?.owner === this.#progress.owner) return',
        replace: 'return',
      },
    ],
  },
  {
    file: `${source}/collect/verify.ts`,
    tests: [`${tests}/verification.test.ts`],
    bugs: [
      {
        name: 'repair-list-stale',
        what: 'the list of parts to fetch again is not renewed after a verification',
        find: 'capture.repair = found.bad',
        replace: '',
      },
    ],
  },
  {
    file: `${source}/manifest/verify-file.ts`,
    tests: [`${tests}/verification.test.ts`],
    bugs: [
      {
        name: 'entry-digest-not-checked',
        what: 'bytes on the disk are not compared with the manifest',
        find: 'if (digests[index] === sha256) good++',
        replace: 'if (digests[index] !== undefined) good++',
      },
    ],
  },
  {
    file: `${source}/manifest/manifest-check.ts`,
    tests: [`${source}/manifest/manifest-check.test.ts`],
    bugs: [
      {
        name: 'manifest-digest-not-checked',
        what: 'a manifest whose trailer has another digest is accepted',
        find: 'if (digest !== computed) {',
        replace: 'if (digest === "") {',
      },
      {
        name: 'manifest-entries-overlap',
        what: 'an entry may begin before the one before ends',
        find: 'if (offset < this.#end) {',
        replace: 'if (offset < 0n) {',
      },
    ],
  },
  {
    file: `${source}/retention/plan.ts`,
    tests: [`${source}/retention/plan.test.ts`],
    bugs: [
      {
        name: 'crash-loop-evicts-others',
        what: 'the oldest dump of all goes when the store is too large, whoever fills it',
        find: 'if (first === undefined || bytes <= largest) continue',
        replace: 'if (first === undefined || largest >= 0n) continue',
      },
      {
        name: 'pinned-dump-evicted',
        what: 'retention removes a pinned dump',
        find: 'return isAtRest && !pinned &&',
        replace: 'return isAtRest &&',
      },
    ],
  },
  {
    file: `${source}/admission/admission.ts`,
    tests: [`${tests}/admission.test.ts`],
    bugs: [
      {
        name: 'promised-room-counted-twice',
        what: 'a capture is admitted to room that another one is going to fill',
        find: 'shortage: needed + promised + reserve - free',
        replace: 'shortage: needed + reserve - free',
      },
      {
        name: 'refused-capture-keeps-its-reservation',
        what: 'a capture that waits for room keeps others from it',
        find: 'if (progress?.isAdmitted !== true) return 0n',
        replace: 'if (progress === undefined) return 0n',
      },
    ],
  },
  {
    file: `${source}/scrub/scrub-dump.ts`,
    tests: [`${tests}/scrub.test.ts`],
    bugs: [
      {
        name: 'rotten-manifest-believed',
        what: 'a stored manifest that is another one now vouches for the vmcore',
        find: 'if (summary.sizeBytes === sizeBytes && summary.digest === digest) return undefined',
        replace: 'if (summary.sizeBytes === sizeBytes) return undefined',
      },
    ],
  },
  {
    file: `${source}/transfer/windows.ts`,
    tests: [`${source}/transfer/windows.test.ts`],
    bugs: [
      {
        name: 'checkpoint-before-sync',
        what: 'progress vouches for bytes that are not on the disk yet',
        find: 'await this.#file.sync()\n      await onSynced()',
        replace: 'await onSynced()\n      await this.#file.sync()',
      },
    ],
  },
  {
    file: `${source}/transfer/coverage.ts`,
    tests: [`${source}/transfer/coverage.test.ts`],
    bugs: [
      {
        name: 'bytes-without-digest',
        what: 'bytes get into the file that no entry of the manifest vouches for',
        find: 'if (entry === undefined || entry.offset > covered) {',
        replace: 'if (entry === undefined) {',
      },
    ],
  },
  {
    file: `${source}/collect/release.ts`,
    tests: [`${tests}/release.test.ts`],
    bugs: [
      {
        name: 'second-release-is-a-failure',
        what: 'EPERM for a dump that was released already counts as a failure',
        find: "['EPERM', 'ENOENT']",
        replace: "['ENOENT']",
      },
    ],
  },
])
