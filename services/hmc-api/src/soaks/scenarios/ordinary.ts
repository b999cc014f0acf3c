/** Crashes of a partition that is as it is, and of one that was prepared while it ran. */
import {
  isProblem,
  type Partition,
  Problem,
  type SoakScenarioName,
} from '@fadump-lab/shared/contracts'
import { patient } from '../../patience.ts'
import { registeredFile } from '../hands.ts'
import type { ScenarioSteps, Stage } from '../stage.ts'

/** How long the order is given again when a service is away at that moment. */
const orderMs = 240_000
const orderPauseMs = 200

/** By the console's own operation; its job says how it went. Errors: refusals, and that nobody took the order. */
export async function crashByConsole(stage: Stage): Promise<void> {
  const { hands, crash } = stage
  const { clock } = hands.deps
  const started = clock.now()
  for (let isFirst = true; clock.now() - started < orderMs; isFirst = false) {
    const ended = await patient(() => hands.order(crash.cause)).catch((error: unknown) => {
      if (isFirst || !isWrongState(error)) throw error
    })
    if (ended !== undefined) {
      // A fault may need an operator before the job can end.
      if (crash.fault === undefined) stage.job = await ended()
      return
    }
    // Whether the order came through is seen in the partition alone.
    await clock.sleep(orderPauseMs)
    const now = await patient(() => hands.state())
    if (now !== undefined && hasCrashed(stage, now)) return
  }
  throw new Error(`nobody took the order to crash ${hands.partition} for ${orderMs / 1000} s`)
}

/** Or is about to. */
function hasCrashed({ before }: Stage, now: Partition): boolean {
  return now.epoch > before.epoch || now.crashes > before.crashes || now.state !== 'running'
}

/** It was up a moment ago: a lost order has come through. */
function isWrongState(error: unknown): boolean {
  return isProblem(error, 'wrong-state')
}

async function registerAgain(stage: Stage): Promise<void> {
  const { hands } = stage
  await hands.write(registeredFile, '0')
  const off = await hands.read(registeredFile)
  stage.check('unregistered', off === '0', `${registeredFile} reads ${off} after 0 was written`)
  await hands.write(registeredFile, '1')
  const on = await hands.read(registeredFile)
  stage.check('registered', on === '1', `${registeredFile} reads ${on} after 1 was written`)
}

/** Between two rewrites: others have to come to their turn. */
const rewritePauseMs = 50

/** Rewrites go on until one is refused: of that one nobody has heard how far it came. */
async function crashUnderLoad(stage: Stage): Promise<void> {
  const { crash, hands } = stage
  const pages = [...(await hands.workload(crash.seed, crash.partition.pages))]
  const over = new AbortController()
  const load = keepWriting(stage, pages, over.signal)
  await hands.deps.clock.sleep(crash.random.int(30))
  await crashByConsole(stage)
  over.abort()
  await load
}

async function keepWriting(
  stage: Stage,
  pages: readonly bigint[],
  signal: AbortSignal,
): Promise<void> {
  const { crash, hands, written } = stage
  for (let turn = 1; !signal.aborted; turn += 1) {
    const seed = (crash.nextSeed + turn) >>> 0
    stage.next = { seed, pages }
    try {
      await hands.workload(seed, crash.partition.pages)
    } catch (error) {
      if (error instanceof Problem) return
      throw error
    }
    // Told after the crash: it went to the memory of the next boot, or was through before.
    if (stage.story.has('terminate')) return
    for (const page of pages) written.set(page, seed)
    await hands.deps.clock.sleep(rewritePauseMs)
  }
}

async function readCmaLines(stage: Stage): Promise<void> {
  const log = await stage.hands.proc('kmsg')
  const bad = ['Failed to init cma area', 'pageblock_order not yet initialized'].filter((line) =>
    log.includes(line),
  )
  stage.check('CMA lines', bad.length === 0, `the log has: ${bad.join('; ')}`)
}

const appended = 'lab_soak=appended nosmp'

async function appendArguments(stage: Stage): Promise<void> {
  await stage.hands.write('kernel/fadump/bootargs_append', appended)
}

/** The kernel that has captured runs on, with the command line of its boot. */
async function readCommandLine(stage: Stage): Promise<void> {
  const line = await stage.hands.proc('cmdline')
  stage.check('appended', line.includes(appended), `the capture kernel was started with: ${line}`)
}

async function migrate(stage: Stage): Promise<void> {
  const { hands } = stage
  await hands.migrate()
  const now = await hands.state()
  stage.check('dropped', now.registration === 'idle', `${now.registration} after the migration`)
  if (stage.crash.partition.profile === 'v5')
    await hands.write(registeredFile, '0').catch(isRefusal)
  await hands.write(registeredFile, '1')
  await hands.until('registered again', ({ registration }) => registration === 'registered')
}

function isRefusal(error: unknown): void {
  if (!(error instanceof Problem)) throw error
}

export const ordinaryScenarios = {
  plain: {},
  'dump-restart': {},
  'watchdog-dump': {},
  'register-again': { prepare: registerAgain },
  workload: { crash: crashUnderLoad },
  'cma-lines': { prepare: readCmaLines },
  'bootargs-append': { prepare: appendArguments, after: readCommandLine, spoils: true },
  migrated: { prepare: migrate },
} as const satisfies Partial<Record<SoakScenarioName, ScenarioSteps>>
