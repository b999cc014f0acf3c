/** Crashes on which something else falls while the dump is on its way, and those that come without the kernel. */
import { Problem, type Partition, type SoakScenarioName } from '@fadump-lab/shared/contracts'
import { cpuNotesOfFirmware } from '../crash-words.ts'
import { registeredFile } from '../hands.ts'
import type { ScenarioSteps, Stage } from '../stage.ts'
import { crashByConsole } from './ordinary.ts'

/** Starts the crash, does something while the dump is captured, and waits for the console's job. */
async function meanwhile(stage: Stage, disturb: () => Promise<void>): Promise<void> {
  stage.expected.jobMayFail = true
  const crashed = crashByConsole(stage)
  try {
    await stage.hands.until('captured', (now) => isCapturing(now) || isOver(stage, now))
    await disturb()
  } catch (error) {
    // The dump was through already: what was to disturb it is refused or has nothing to disturb.
    if (!(error instanceof Problem)) throw error
  }
  await crashed
}

function isCapturing({ state }: Partition): boolean {
  return state === 'capturing'
}

function isOver(stage: Stage, now: Partition): boolean {
  return now.crashes > stage.before.crashes && now.state === 'running'
}

const unlessOver = (disturb: (stage: Stage) => Promise<void>) => (stage: Stage) =>
  meanwhile(stage, async () => {
    const now = await stage.hands.state()
    if (isCapturing(now)) await disturb(stage)
  })

async function powerOff(stage: Stage): Promise<void> {
  const { expected, hands } = stage
  expected.outcome = 'either'
  expected.reason = 'powered off before the dump was stored'
  expected.endState = 'not-activated'
  const crashed = crashByConsole(stage).catch((error: unknown) => {
    if (!(error instanceof Problem)) throw error
  })
  await hands.until('captured', (now) => isCapturing(now) || isOver(stage, now))
  await hands.powerOff()
  await crashed
}

/** Firmware alone: no CPU has told it anything. */
async function kill(stage: Stage): Promise<void> {
  const { expected, hands, before, crash } = stage
  const { profile, processors, id } = crash.partition
  expected.cpuNotes = cpuNotesOfFirmware(profile, processors)
  expected.texts = [id]
  await hands.kill()
  await hands.until(
    'dumped and up again',
    (now) =>
      now.lastDump !== before.lastDump && now.state === 'running' && now.pendingDump === undefined,
  )
}

const togglePauseMs = 5

/** Whoever comes first: registered, there is a dump; unregistered, there is a restart, and nothing is half. */
async function crashWhileRegistering(stage: Stage): Promise<void> {
  stage.expected.outcome = 'either'
  stage.expected.reason = 'not registered at the moment of the crash'
  const over = new AbortController()
  const toggling = toggle(stage, over.signal)
  await stage.hands.deps.clock.sleep(stage.crash.random.int(20))
  await crashByConsole(stage)
  over.abort()
  await toggling
}

async function toggle(stage: Stage, signal: AbortSignal): Promise<void> {
  for (let value = 0; !signal.aborted && !stage.story.happened('crashed'); value = 1 - value) {
    try {
      await stage.hands.write(registeredFile, String(value))
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      return
    }
    await stage.hands.deps.clock.sleep(togglePauseMs)
  }
}

export const duringCaptureScenarios = {
  'second-dump-restart': { crash: unlessOver((stage) => stage.hands.systemReset()), spoils: true },
  'crash-in-capture': { crash: unlessOver((stage) => stage.hands.crashAgain()), spoils: true },
  'power-off-in-capture': { crash: powerOff, spoils: true },
  kill: { crash: kill },
  'while-registering': { crash: crashWhileRegistering, spoils: true },
} as const satisfies Partial<Record<SoakScenarioName, ScenarioSteps>>
