/** What every crash is held to once its partition has come to rest: the dump that has to be there, or that none is. */
import { Problem, type Dump, type Partition, type SoakCrash } from '@fadump-lab/shared/contracts'
import { isAway } from '../patience.ts'
import { cpuNotesOfFirmware } from './crash-words.ts'
import { MemoryOracle } from './oracle/memory-oracle.ts'
import type { CoreOutline } from './oracle/core-outline.ts'
import type { Stage } from './stage.ts'
import { StoredCore } from './stored-core.ts'

export type Verified = Pick<
  SoakCrash,
  | 'outcome'
  | 'dump'
  | 'mechanism'
  | 'sizeBytes'
  | 'transferredBytes'
  | 'storedBytes'
  | 'attempts'
  | 'isWhole'
>

/** ELF e_machine EM_PPC64, e_type ET_CORE. */
const machinePpc64 = 21
const typeCore = 4
const imageEnd = 0x40_0000n
const stackBytes = 0x4000n
const page = 0x1_0000n
const releases = { v5: '3.4.0', modern: '6.12.0' } as const

/** Compares, adds the checks to the stage, and says what the crash came to. */
export async function verifyCrash(stage: Stage, now: Partition): Promise<Verified> {
  const { expected } = stage
  stage.isOfPartition = dumpsOf(stage, now)
  const dumps = await endedDumps(stage)
  expectFirmwareAlone(stage)
  checkRest(stage, now)
  checkJob(stage)
  const number = stage.before.crashes + 1
  const own = dumps.filter(({ id }) => id.endsWith(`-${number}`))
  const crashes = await crashesSince(stage, now, dumps)
  const others = dumps.filter((dump) => !own.includes(dump) && !isSecond(stage, crashes, dump))
  stage.check(
    'at most one dump',
    own.length <= 1 && others.length === 0,
    `dumps: ${dumps.map(({ id }) => id).join(', ')}`,
  )
  const [dump] = own
  if (expected.outcome === 'no dump') return verifyAbsence(stage, now, dump)
  if (expected.outcome === 'either' && dump?.status !== 'complete') {
    return verifyAbsence(stage, now, dump)
  }
  return verifyDump(stage, dump)
}

/** Firmware tells of the last dump that it has preserved, unless that was lost with all memory. */
function dumpsOf({ lostMemory }: Stage, { lastDump }: Partition): Stage['isOfPartition'] {
  if (lastDump === undefined) return () => lostMemory()
  const beginning = lastDump.replace(/\d+$/, '')
  return (dump) => dump.startsWith(beginning)
}

/** A capture that was cut off ends when its collector has noticed. */
const endMs = 60_000
const endPauseMs = 200

/** The dumps since the crash; none of them is still on its way, unless that takes too long. */
async function endedDumps(stage: Stage): Promise<Dump[]> {
  const { hands } = stage
  const { clock } = hands.deps
  const started = clock.now()
  for (;;) {
    const dumps = (await hands.dumps()).filter(({ id }) => stage.isOwn(id))
    const isLate = clock.now() - started > endMs
    if (isLate || dumps.every(({ status }) => status !== 'capturing')) return dumps
    await clock.sleep(endPauseMs)
  }
}

/**
 * A kernel that does not take the interrupt of a dump restart in time is dumped by firmware alone: nobody has logged
 * anything. Where rows can be missing, that nobody has told of a crash says nothing.
 */
function expectFirmwareAlone({ crash, story, expected, hands }: Stage): void {
  const isReset = crash.cause === 'dump-restart' || crash.cause === 'system-reset'
  if (!isReset || story.happened('crashed')) return
  const { profile, processors } = crash.partition
  expected.texts = [hands.partition]
  expected.cpuNotes = cpuNotesOfFirmware(profile, processors)
  if (expected.anyEvents === true) expected.anyCpuNotes = true
}

/**
 * What disturbs a capture may come after it: then it is a crash of its own, with a dump of its own. The same goes for an
 * order whose answer was lost, and which was given again.
 */
function isSecond({ before, isDisturbed, expected }: Stage, crashes: number, dump: Dump): boolean {
  const isAny = isDisturbed || expected.moreCrashes > 0
  const first = isAny ? before.crashes + 2 : Math.max(before.crashes + 2, crashes)
  return numberOf(dump) >= first && numberOf(dump) <= crashes
}

/** What disturbs a capture may come even when the partition is at rest: a dump is looked at after its crash was counted. */
async function crashesSince(stage: Stage, now: Partition, dumps: readonly Dump[]): Promise<number> {
  const isLater = dumps.some((dump) => numberOf(dump) > now.crashes)
  if (!stage.isDisturbed || !isLater) return now.crashes
  return (await stage.hands.state()).crashes
}

/** Of the crash, as its partition counts them. */
function numberOf({ id }: Dump): number {
  return Number(/-(\d+)$/.exec(id)?.[1])
}

function checkRest(stage: Stage, now: Partition): void {
  const { endState } = stage.expected
  stage.check(
    'comes to rest',
    now.state === endState,
    `the partition is ${now.state}, not ${endState}`,
  )
  if (endState !== 'running' || !wantsRegistration(now)) return
  const { registration } = now
  stage.check(
    'registers again',
    registration === 'registered',
    `the registration is ${registration}`,
  )
}

/** Whether user space registers a dump by itself in this partition. */
export function wantsRegistration({ dumpService, bootArguments }: Partition): boolean {
  return dumpService && /\bfadump=(on|nocma)\b/.test(bootArguments)
}

/** The console's job says the same as the dump: succeeded with a complete one, or without one where none was registered. */
function checkJob(stage: Stage): void {
  const { job, expected } = stage
  if (job === undefined || expected.outcome !== 'dump' || expected.jobMayFail === true) return
  stage.check(
    'job',
    job.state === 'succeeded',
    `${job.operation} ended ${job.state}: ${job.failure ?? ''}`,
  )
}

function verifyAbsence(stage: Stage, now: Partition, dump: Dump | undefined): Verified {
  const isFree = isGivenUp(stage, dump)
  stage.check('no complete dump', isFree, `dump ${dump?.id} is ${dump?.status}`)
  const wasPreserved = now.lastDump !== stage.before.lastDump
  const isTold = !wasPreserved || isExplained(stage, now, dump)
  stage.check('reason recorded', isTold, `${now.lastDump} is gone, and nothing says why`)
  const isClean = wasPreserved || !stage.story.has('preserved')
  stage.check('nothing preserved', isClean, 'memory was preserved for a dump that nobody knows')
  return {
    outcome: isFree && isTold && isClean ? 'absent' : 'lost',
    mechanism: 'none',
    ...(dump === undefined ? {} : { dump: dump.id }),
  }
}

/** There is none, it says itself that there is none, or, when memory was taken away, how much of it there is. */
function isGivenUp({ expected, lostMemory }: Stage, dump: Dump | undefined): boolean {
  if (dump === undefined || dump.status === 'failed') return true
  const isTakenAway = expected.endState === 'not-activated' || lostMemory()
  return dump.status === 'partial' && isTakenAway
}

function isExplained({ story, expected }: Stage, now: Partition, dump: Dump | undefined): boolean {
  if (expected.anyEvents === true) return true
  const isInLog = story.rows.some(({ event }) => reasons.has(event))
  return isInLog || now.lastFailure !== undefined || dump?.failure !== undefined
}

/** Rows that say why there is no dump. */
const reasons: ReadonlySet<string> = new Set([
  'captureFailed',
  'rejected',
  'discarded',
  'powerOff',
  'preserveFailed',
  'terminateUnregistered',
])

async function verifyDump(stage: Stage, dump: Dump | undefined): Promise<Verified> {
  stage.check('dump there', dump !== undefined, `no dump of crash ${stage.before.crashes + 1}`)
  if (dump === undefined) return { outcome: 'lost', mechanism: 'none' }
  const isComplete = dump.status === 'complete'
  stage.check('status', isComplete, `${dump.id} is ${dump.status}: ${dump.failure ?? 'no cause'}`)
  const { crash, story, expected } = stage
  const isSeen = story.has('preserved') && story.has('capturing')
  const mechanism = isSeen || expected.anyEvents === true ? 'fadump' : 'none'
  stage.check(
    'mechanism',
    mechanism === 'fadump',
    'the log tells of no preserved memory and no capture kernel',
  )
  const facts = {
    dump: dump.id,
    mechanism,
    sizeBytes: Number(dump.sizeBytes),
    transferredBytes: Number(dump.transferredBytes),
    storedBytes: Number(dump.storedBytes),
    attempts: dump.attempts,
    isWhole: crash.isWhole,
  } as const
  if (!isComplete) return { outcome: 'lost', ...facts }
  const passed = stage.checks.length
  await verifyCore(stage, dump)
  const isTrue = stage.checks.slice(passed).every((check) => check.passed)
  return { outcome: isTrue ? 'dump' : 'lost', ...facts }
}

/** A download that is cut off is begun anew: what it was of has not changed. */
const readAttemptsMax = 5
const readPauseMs = 500

async function verifyCore(stage: Stage, dump: Dump): Promise<void> {
  const { checks, hands } = stage
  const before = checks.length
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await readCore(stage, dump)
    } catch (error) {
      checks.splice(before)
      const text = error instanceof Error ? error.message : String(error)
      if (attempt === readAttemptsMax || !isCutOff(error)) {
        return stage.check('readable', false, text)
      }
      await hands.deps.clock.sleep(readPauseMs)
    }
  }
}

/** Before the answer, which is a `Problem`, or in its body. */
function isCutOff(error: unknown): boolean {
  if (error instanceof Problem) return isAway(error)
  return error instanceof TypeError && error.message === 'terminated'
}

async function readCore(stage: Stage, dump: Dump): Promise<void> {
  const { crash, hands, expected } = stage
  const { partition } = crash
  const core = new StoredCore(hands.deps, dump.id, hands.correlationId)
  const outline = await core.outline()
  checkOutline(stage, outline, dump)
  const oracle = new MemoryOracle({
    written: stage.written,
    ...(stage.next === undefined ? {} : { next: stage.next }),
    kernelEnd: (imageEnd + BigInt(partition.processors) * stackBytes + page - 1n) / page,
    kernelPages: stage.kernelPages,
    epoch: stage.before.epoch,
    texts: expected.texts,
  })
  await core.show(oracle, outline, crash.isWhole)
  stage.checks.push(...oracle.checks())
}

function checkOutline(stage: Stage, outline: CoreOutline, dump: Dump): void {
  const { profile } = stage.crash.partition
  const little = profile === 'modern'
  const isCore = outline.machine === machinePpc64 && outline.type === typeCore
  stage.check(
    'ELF',
    isCore && outline.littleEndian === little,
    `e_machine ${outline.machine}, e_type ${outline.type}, little-endian: ${outline.littleEndian}`,
  )
  stage.check(
    'size',
    BigInt(outline.end) === dump.sizeBytes,
    `loads end at ${outline.end}, not at ${dump.sizeBytes}`,
  )
  stage.check(
    'CPU notes',
    stage.expected.anyCpuNotes === true || outline.cpuNotes === stage.expected.cpuNotes,
    `${outline.cpuNotes} notes, not ${stage.expected.cpuNotes}`,
  )
  const release = outline.vmcoreinfo?.includes(`OSRELEASE=${releases[profile]}`) === true
  stage.check('VMCOREINFO', release, `it says: ${outline.vmcoreinfo?.slice(0, 80) ?? 'nothing'}`)
  stage.check(
    'loads',
    isCovered(stage, outline),
    'memory outside of the reserved area is in no load',
  )
  const top = memoryTop(stage.before)
  const beyond = outline.loads.filter(({ address, size }) => address + size > top)
  stage.check(
    'loads end',
    beyond.length === 0,
    `${beyond.length} loads are beyond the end of memory`,
  )
}

/** All memory but the reserved dump area, which the kernel named before the crash. */
function isCovered({ reserved, before }: Stage, { loads }: CoreOutline): boolean {
  if (reserved === undefined) return true
  const sorted = [...loads].toSorted((a, b) => (a.address < b.address ? -1 : 1))
  let reached = 0n
  for (const { address, size } of sorted) {
    const gapIsArea = reached >= reserved.start && address <= reserved.end
    if (address > reached && !gapIsArea) return false
    if (address + size > reached) reached = address + size
  }
  return reached >= memoryTop(before) || reached >= reserved.start
}

function memoryTop({ addedMemory, memoryBytes }: Stage['before']): bigint {
  return addedMemory.reduce(
    (end, block) => (block.address + block.length > end ? block.address + block.length : end),
    memoryBytes as bigint,
  )
}
