/** What is done for each scenario of the table in the contracts. */
import type { SoakScenarioName } from '@fadump-lab/shared/contracts'
import { cpuNotesOf } from '../crash-words.ts'
import type { PlannedCrash } from '../plan.ts'
import type { ScenarioSteps, Stage } from '../stage.ts'
import { absentScenarios } from './absent.ts'
import { duringCaptureScenarios } from './during-capture.ts'
import { crashByConsole, ordinaryScenarios } from './ordinary.ts'
import { reconfiguredScenarios } from './reconfigured.ts'
import { faultSteps } from './under-faults.ts'

export { crashByConsole }

const askedThreads = 8
const cpusForThreads = 2

/** F15: makedumpfile gets as many threads as the capture kernel has CPUs, however many are asked for. */
async function rehearseThreads(stage: Stage): Promise<void> {
  const { hands, crash, expected } = stage
  const { processors, profile } = crash.partition
  expected.cpuNotes = cpuNotesOf(profile, crash.cause, Math.min(cpusForThreads, processors))
  const { system } = await hands.rehearse()
  const wanted = Math.min(cpusForThreads, processors, askedThreads)
  const threads = Math.min(system.threads ?? Infinity, system.nrCpus ?? Infinity)
  stage.check('threads', threads === wanted, `${threads} threads, not ${wanted}`)
}

const special = {
  'off-and-on': {
    change: () => ({ bootArguments: 'fadump=off' }),
    prepare: async (stage) => {
      const { hands } = stage
      const off = await hands.read('kernel/fadump_enabled').catch(() => '0')
      stage.check('fadump is off', off === '0', `fadump_enabled reads ${off}`)
      await hands.shutdown()
      await hands.changeBootArguments('fadump=on')
      await hands.activate()
      // Activating clears memory; what lies where depends on what is reserved.
      stage.written.clear()
      const on = await hands.read('kernel/fadump_enabled')
      stage.check('fadump is on', on === '1', `fadump_enabled reads ${on}`)
      await hands.until('registered', ({ registration }) => registration === 'registered')
    },
  },
  nocma: { change: () => ({ bootArguments: 'fadump=nocma' }) },
  threads: {
    change: () => ({
      bootArguments: `fadump=on nr_cpus=${cpusForThreads}`,
      capture: { threads: askedThreads },
    }),
    prepare: rehearseThreads,
  },
} as const satisfies Partial<Record<SoakScenarioName, ScenarioSteps>>

/** What is done for a crash: by its fault if that needs more than a plain one, else by its scenario. */
export function stepsFor({ scenario, fault }: PlannedCrash): ScenarioSteps {
  const ofFault = fault === undefined ? undefined : faultSteps[fault.fault.name]
  return ofFault ?? scenarioSteps[scenario]
}

const scenarioSteps: Readonly<Record<SoakScenarioName, ScenarioSteps>> = {
  ...ordinaryScenarios,
  ...reconfiguredScenarios,
  ...absentScenarios,
  ...duringCaptureScenarios,
  ...special,
}
