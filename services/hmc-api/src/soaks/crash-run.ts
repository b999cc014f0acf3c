/** One crash from the partition's boot to the row of the report. */
import type { Partition, SoakCrash } from '@fadump-lab/shared/contracts'
import { retry } from '@fadump-lab/shared/runtime'
import { whileBusy } from '../patience.ts'
import { ArmedFault } from './armed-fault.ts'
import { cpuNotesOf, crashWords } from './crash-words.ts'
import { isFirmwareFault } from './fault-plan.ts'
import { Hands, type PartitionChange, type PartitionForm } from './hands.ts'
import { crashRow, isPassed, type CrashEnd } from './crash-row.ts'
import { CrashStory } from './moments.ts'
import { pageBytes } from './oracle/expected-page.ts'
import type { PlannedCrash, PlannedPartition } from './plan.ts'
import { parseReservation } from './reservation.ts'
import { activateAgain, comeToRest, isSettled } from './rest.ts'
import type { Turnstile } from './round.ts'
import { crashByConsole, stepsFor } from './scenarios/index.ts'
import type { SoakTools } from './soak-tools.ts'
import { Stage, type ScenarioSteps } from './stage.ts'
import { verifyCrash, type Verified } from './verify.ts'

/** What one partition of the fleet is at the moment; empty: it has to be made. */
export interface Berth {
  readonly planned: PlannedPartition
  /** What it was made with, as text. */
  form?: string
  story?: CrashStory
}

export interface CrashContext {
  readonly tools: SoakTools
  readonly frame: string
  readonly signal: AbortSignal
  readonly correlationId: string
  /** Milliseconds since the soak began. */
  readonly elapsed: () => number
  /** Waits for all that are to crash at the same moment. */
  readonly together: () => Promise<void>
  /** Waits for all that crashed at the same moment, so that comparing takes nothing away from capturing. */
  readonly atRest: () => Promise<void>
  /** Boots and comparisons, so many at a time. */
  readonly throttle: Turnstile
  readonly keepFailed: boolean
  /** Whether a fault of the plan can keep rows from the event log. */
  readonly losesEvents: boolean
  /** Whether a fault of the plan ends processes: requests that they have in hand are answered 500. */
  readonly endsProcesses: boolean
}

/** Brings the partition up as the scenario wants it, crashes it, compares. Never throws: what goes wrong is a failed check. */
export async function runCrash(
  context: CrashContext,
  berth: Berth,
  crash: PlannedCrash,
): Promise<SoakCrash> {
  const stage = stageOf(context, berth, crash)
  const steps = stepsFor(crash)
  const row = { crashedAtMs: undefined as number | undefined }
  const startedMs = context.elapsed()
  const { outside } = context.tools
  let verified: Verified = { outcome: 'lost', mechanism: 'none' }
  const part = <T>(task: () => Promise<T>): Promise<T | undefined> => goThrough(stage, task)
  const isUp = await part(() =>
    context.throttle.run(() => bringUp(context, berth, { stage, steps })),
  )
  await context.together()
  if (isUp !== undefined) row.crashedAtMs = context.elapsed()
  const now = isUp === undefined ? undefined : await part(() => crashAndRest(context, stage, steps))
  await part(() => takeFault(stage, outside?.between(startedMs, context.elapsed()) ?? []))
  await context.atRest()
  await outside?.caughtUp()
  const isLost = excuseLostMemory(stage)
  stage.disturbances.push(...(outside?.between(startedMs, context.elapsed()) ?? []))
  if (now !== undefined) {
    verified = (await part(() => context.throttle.run(() => verifyCrash(stage, now)))) ?? verified
  } else if (isLost) verified = { outcome: 'absent', mechanism: 'none' }
  return endCrash(context, berth, { stage, steps, verified, crashedAtMs: row.crashedAtMs })
}

/** A power failure takes the dump along, and whatever was under way. */
function excuseLostMemory(stage: Stage): boolean {
  if (!stage.lostMemory()) return false
  stage.expected.outcome = 'either'
  stage.expected.reason = 'the memory of all partitions was lost'
  stage.checks.splice(0)
  return true
}

/** What a part of the crash comes to; `undefined` when it fails, which is a check of its own. */
async function goThrough<T>(stage: Stage, task: () => Promise<T>): Promise<T | undefined> {
  try {
    return await task()
  } catch (error) {
    stage.check('goes through', false, error instanceof Error ? error.message : String(error))
    return undefined
  }
}

async function crashAndRest(
  context: CrashContext,
  stage: Stage,
  steps: ScenarioSteps,
): Promise<Partition> {
  stage.story.begin(context.tools.deps.clock.now())
  await (steps.crash ?? crashByConsole)(stage)
  const now = await comeToRest(stage)
  await context.tools.outside?.caughtUp()
  await steps.after?.(stage)
  return now
}

function stageOf(context: CrashContext, berth: Berth, crash: PlannedCrash): Stage {
  const { partition, cause } = crash
  const startedMs = context.elapsed()
  const lostMemory = () => context.tools.outside?.lostMemory(startedMs, context.elapsed()) === true
  const hands = new Hands(context.tools, partition.id, { ...context, lostMemory })
  const story = new CrashStory(partition.id)
  berth.story = story
  return new Stage({
    crash,
    hands,
    story,
    isDisturbed: context.tools.outside !== undefined,
    lostMemory,
    expected: {
      outcome: 'dump',
      endState: 'running',
      moreCrashes: 0,
      anyEvents: context.losesEvents,
      jobMayFail: context.tools.outside !== undefined,
      cpuNotes: cpuNotesOf(partition.profile, cause, partition.processors),
      texts: [partition.id, crashWords(partition.profile, cause)],
    },
  })
}

async function bringUp(
  context: CrashContext,
  berth: Berth,
  { stage, steps }: { readonly stage: Stage; readonly steps: ScenarioSteps },
): Promise<Partition> {
  const { hands, crash } = stage
  await makePartition(berth, stage, formOf(context.frame, crash.partition, steps.change?.(crash)))
  const up = await hands.until(
    'up',
    async (now) => {
      await activateAgain(stage, now)
      return now.state === 'running' && now.pendingDump === undefined && isSettled(now)
    },
    'is switched on',
  )
  await stage.write(crash.partition.contentSeed)
  stage.before = up
  const isEarly = crash.fault?.needs.isEarly === true
  if (isEarly) await armFault(context, stage)
  await steps.prepare?.(stage)
  await stage.write(crash.seed)
  stage.before = await hands.state()
  for (const { id } of await hands.dumps()) stage.earlierDumps.add(id)
  await readReservation(stage)
  if (!isEarly) await armFault(context, stage)
  return stage.before
}

/** A partition that has what the scenario wants stays as it is; any other is made anew. */
async function makePartition(berth: Berth, stage: Stage, form: PartitionForm): Promise<void> {
  const { hands, isDisturbed } = stage
  const text = JSON.stringify(form)
  if (berth.form === text) return
  await hands.remove()
  await hands.create(form)
  const job = await hands.activate()
  if (job?.state === 'failed' && !isDisturbed) {
    throw new Error(`the partition does not boot: ${job.failure}`)
  }
  berth.form = text
}

async function armFault({ tools }: CrashContext, stage: Stage): Promise<void> {
  const { fault, partition } = stage.crash
  if (fault === undefined) return
  const { faults, deps } = tools
  stage.armed = await ArmedFault.arm({ faults, clock: deps.clock }, fault, partition.id)
  stage.expected.jobMayFail = true
  stage.expected.anyCpuNotes = isFirmwareFault(fault)
  if (fault.allows === 'dump' || stage.expected.outcome === 'no dump') return
  stage.expected.outcome = 'either'
  stage.expected.reason = `${fault.fault.name} may cost the dump`
}

/** `struckOutside`: what was struck from outside meanwhile. */
async function takeFault(stage: Stage, struckOutside: readonly string[]): Promise<true> {
  const outcome = await stage.armed?.take()
  if (outcome === undefined) return true
  const isOwnEnd = outcome.isForgotten && hasEndedItself(stage, struckOutside)
  stage.fault = isOwnEnd ? { ...outcome, struck: 1, isForgotten: false } : outcome
  return true
}

/** A process that a fault has ended has forgotten its strike; but nobody else has ended it. */
function hasEndedItself({ crash }: Stage, struckOutside: readonly string[]): boolean {
  const { name, service } = crash.fault?.fault ?? {}
  if (name !== 'process-abort' || service === undefined) return false
  return !struckOutside.some((label) => label.endsWith(` ${service}`))
}

function formOf(
  frame: string,
  partition: PlannedPartition,
  change: PartitionChange = {},
): PartitionForm {
  const { id, profile, memoryBytes, processors, contentSeed, pages } = partition
  const content = { seed: contentSeed, populatedBytes: pages * 65_536 }
  return { id, frame, profile, memoryBytes, processors, content, ...change }
}

/** What the first kernel itself says of its reserved areas, before anything has crashed. */
async function readReservation(stage: Stage): Promise<void> {
  const text = await stage.hands.read('kernel/debug/powerpc/fadump_region').catch(() => '')
  const { area, parameters } = parseReservation(text)
  stage.reserved = area
  stage.kernelPages = parameters === undefined ? [] : [parameters / BigInt(pageBytes)]
}

async function endCrash(context: CrashContext, berth: Berth, end: CrashEnd): Promise<SoakCrash> {
  const { stage, steps } = end
  const passed = isPassed(end)
  if (!passed || steps.spoils === true || steps.change !== undefined) delete berth.form
  await clear(context, stage, passed)
  return crashRow(end, context.elapsed())
}

/** What has been compared need not be kept. A capture that was cut off while it released ends a little later. */
async function clear(context: CrashContext, stage: Stage, passed: boolean): Promise<void> {
  if (!passed && context.keepFailed) return
  const { clock } = context.tools.deps
  const { hands } = stage
  await goThrough(stage, async () => {
    for (const { id } of await hands.dumps()) {
      if (!stage.isOwn(id)) continue
      await retry(() => hands.deleteDump(id), { clock, ...whileBusy })
    }
  })
}
