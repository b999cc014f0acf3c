/**
 * Bugs that the simulator must find: those of test/mutate/table.ts that show from outside of the services, and bugs of
 * concurrency and durability of its own.
 */
import type { Bug } from '../support/planted.ts'
import { mutants } from '../mutate/table.ts'

export interface SimulatedBug extends Bug {
  readonly name: string
  /** The bug in words of the field. */
  readonly what: string
}

const collector = 'services/dump-collector/src'
const hypervisor = 'services/hypervisor/src'
const kernel = 'services/lpar-kernel/src'

/** Names of test/mutate/table.ts. */
const shared: readonly string[] = [
  'v5-boot-chunk-not-relocated',
  'v5-dumps-the-dump-area',
  'request-flag-dropped',
  'boot-memory-copied-a-page-too-low',
  'last-granule-dropped',
  'head-of-a-shifted-page-lost',
  'copy-reads-what-it-wrote',
  'epoch-fence-dropped',
  'version-check-dropped',
  'partition-committed-blindly',
  'invalidated-dump-still-pending',
  'dump-lost-at-second-reboot',
  'early-release',
  'rename-forgotten',
  'rename-not-durable',
  'owner-not-checked',
  'repair-list-stale',
  'entry-digest-not-checked',
  'pinned-dump-evicted',
  'registration-outlives-the-restart',
  'mutex-does-not-wait',
  'checkpoint-before-sync',
  'stopped-cpus-in-mask',
  'reset-dies-with-its-host',
  'resume-repeats-bytes',
]

const own: readonly SimulatedBug[] = [
  {
    name: 'small-file-not-synced',
    what: 'dump.json and progress are renamed over before their bytes are on the disk',
    file: `${collector}/store/durable.ts`,
    find: '    await file.sync()\n',
    replace: '',
  },
  {
    name: 'verification-believes',
    what: 'what was received is not read again before it is called verified',
    file: `${collector}/collect/steps.ts`,
    find: '  verifying: verifyVmcore,',
    replace:
      "  verifying: async (capture) => (verifyVmcore.length > 9 ? verifyVmcore(capture) : { event: 'verified' }),",
  },
  {
    name: 'one-good-part-is-enough',
    what: 'a dump of which some parts are right counts as verified',
    file: `${collector}/collect/verify.ts`,
    find: 'if (found.bad.length === 0) return',
    replace: 'if (found.good > 0) return',
  },
  {
    name: 'partial-called-complete',
    what: 'a dump that has ended early is called complete',
    file: `${collector}/collect/fail.ts`,
    find: "    status: 'partial',\n    failure,",
    replace: "    status: 'complete',\n    failure,",
  },
  {
    name: 'cut-ranges-forgotten',
    what: 'the first missing part of a partial dump is not told',
    file: `${collector}/collect/fail.ts`,
    find: 'missing: [...found.bad],',
    replace: 'missing: [...found.bad].slice(1),',
  },
  {
    name: 'failed-without-a-word',
    what: 'a capture fails and does not say why',
    file: `${collector}/collect/fail.ts`,
    find: "patch: { status: 'failed', failure, completedAt",
    replace: "patch: { status: 'failed', failure: undefined, completedAt",
  },
  {
    name: 'lost-retry',
    what: 'a capture that was refused for want of room is never tried again',
    file: `${collector}/housekeeper.ts`,
    find: 'return isAdmissible ? progress.job : undefined',
    replace: 'return undefined',
  },
  {
    name: 'double-collect',
    what: 'a job that comes again collects a stored dump once more',
    file: `${collector}/collect/find-dump.ts`,
    find: 'const stored = await readDump(tools.files, final)\n',
    replace: 'const stored = (await readDump(tools.files, final)) && undefined\n',
  },
  {
    name: 'stale-lease-accepted',
    what: 'who claims a dump shares the token of whoever had it before',
    file: `${collector}/collect/claim.ts`,
    find: 'const owner = tools.newOwner()',
    replace: 'const owner = before?.owner ?? tools.newOwner()',
  },
  {
    name: 'release-not-sent',
    what: 'a dump is called released and its kernel was never told',
    file: `${collector}/collect/release.ts`,
    find: 'await capture.kernel.release(AbortSignal.any([capture.signal, late.signal]))',
    replace: 'await Promise.resolve()',
  },
  {
    name: 'refusal-taken-for-a-release',
    what: 'a kernel that is not there counts as one that has released',
    file: `${collector}/collect/release.ts`,
    find: 'const released = capture.dump.released || isReleasedAlready(error)',
    replace: 'const released = true',
  },
  {
    name: 'publication-before-the-label',
    what: 'a dump gets its final name while its dump.json still says capturing',
    file: `${collector}/collect/capture.ts`,
    find: '    await this.save(outcome.patch ?? {})\n    if (outcome.publish === true) await this.publish()\n',
    replace:
      '    if (outcome.publish === true) await this.publish()\n    await this.tell(outcome.event, { from, to }, outcome.detail)\n    await this.save({})\n',
  },
  {
    name: 'preserve-not-owed',
    what: 'a partition whose preserve was interrupted stays dumping for ever',
    file: `${hypervisor}/boot/owed-work.ts`,
    find: "if (held.record.state === 'dumping') await given.preserve(id)\n    else if",
    replace:
      "if (held.record.state === 'dumping' && held.epoch < 0) await given.preserve(id)\n    else if",
  },
  {
    name: 'owed-work-forgotten-at-start',
    what: 'a hypervisor that comes up again does not finish what the one before had begun',
    file: `${hypervisor}/index.ts`,
    find: '        rooms.owedWork.lookAfter(id)\n',
    replace: '',
  },
  {
    name: 'capture-boot-not-owed',
    what: 'nobody boots a partition whose memory was preserved',
    file: `${hypervisor}/boot/owed-work.ts`,
    find: "const iplStates: readonly PartitionState[] = ['starting', 'capture-starting']",
    replace: "const iplStates: readonly PartitionState[] = ['starting']",
  },
  {
    name: 'outage-ends-the-preserve',
    what: 'a store that does not answer for a moment costs the dump',
    file: `${hypervisor}/fadump/preserve.ts`,
    find: '  if (!isFinal) throw error\n',
    replace: '  if (!isFinal && !(error instanceof StoreError)) throw error\n',
  },
  {
    name: 'dump-id-used-twice',
    what: 'the next crash of a partition has the dump id of the one before',
    file: `${hypervisor}/rtas/os-term.ts`,
    find: 'const crashes = record.crashes + 1',
    replace: 'const crashes = Math.max(1, record.crashes)',
  },
  {
    name: 'announcement-lost-with-the-host',
    what: 'a dump whose kernel host died before it was announced is announced by nobody',
    file: `${kernel}/boot/ipl-worker.ts`,
    find: '    await this.#host.fadumpMutex.run(partition.id, () => runDumpService(kernel))\n    await this.#announceDump(kernel, partition)\n',
    replace: '    await this.#host.fadumpMutex.run(partition.id, () => runDumpService(kernel))\n',
  },
  {
    name: 'memory-in-an-event',
    what: 'the event of a crash shows what was in memory',
    file: `${kernel}/panic/crash-requests.ts`,
    find: 'detail: { cause: event.cause, cpu: event.cpu,',
    replace:
      'detail: { cause: event.cause, cpu: event.cpu, memory: String.fromCharCode(...(await kernel.memory.read(0x0c00_0000n as never, 32))),',
  },
  {
    name: 'release-before-firmware-is-told',
    what: 'a kernel forgets its dump, and a release that is cut off is not completed',
    file: `${kernel}/fadump/release.ts`,
    find: 'const status = await invalidateDump(kernel)',
    replace: 'const status = wasCutOff ? rtasStatus.success : await invalidateDump(kernel)',
  },
  {
    name: 'manifest-not-synced',
    what: 'the manifest of a stored dump is not on the disk when its partition gives its memory back',
    file: `${collector}/manifest/manifest-file.ts`,
    find: '  await flush()\n  await file.sync()\n',
    replace: '  await flush()\n',
  },
  {
    name: 'lease-never-ends',
    what: 'a job whose worker has died is never given to another one',
    file: 'packages/shared/src/queue/in-process-backlog.ts',
    find: 'this.#later(this.definition.leaseMs, () => this.#loseLease(run))',
    replace: 'if (run.job.run !== run) this.#loseLease(run)',
  },
  {
    name: 'retry-forgotten',
    what: 'a job that has failed once is never run again',
    file: 'packages/shared/src/queue/in-process-backlog.ts',
    find: '          this.#waiting.push(job),\n        )',
    replace: '          void job,\n        )',
  },
  {
    name: 'owed-work-not-looked-after',
    what: 'what a change of state owes is done at the next start only',
    file: `${hypervisor}/partition/partitions.ts`,
    find: '    if (step.memory?.nextEpoch === true) this.#owed(id)\n',
    replace: '',
  },
  {
    name: 'unknown-commit-forgotten',
    what: 'a commit whose answer is lost is taken for one that did not happen',
    file: `${hypervisor}/partition/partitions.ts`,
    find: "      if (error instanceof StoreError && error.code === 'unavailable') this.#owed(held.record.id)\n",
    replace: '',
  },
  {
    name: 'boots-counted-anew',
    what: 'the boot after a power failure is taken for the one before it that has its number',
    file: `${hypervisor}/boot/owed-work.ts`,
    find: 'queue.add(`${id}-${epoch}-${correlationId}`',
    replace: 'queue.add(`${id}-${epoch}`',
  },
  {
    name: 'registration-cut-off-by-death',
    what: 'a host dies between the registration of its kernel and the record of it, and the dump has no CPUs and no time',
    file: `${kernel}/panic/crash.ts`,
    find: '(isRegistered || isRegistering)',
    replace: '(isRegistered || (isRegistering && false))',
  },
]

export const simulatedBugs: readonly SimulatedBug[] = [
  ...own,
  ...mutants.filter(({ name }) => shared.includes(name)),
]
