/** `./lab simulate`: one run that is told line by line, or many of which only the outcome is. */
import { availableParallelism } from 'node:os'
import { simulateMany } from './many.ts'
import { minimise } from './minimise.ts'
import { planOf, simulate, type RunReport } from './simulation.ts'
import { describeAction } from './steps.ts'

export interface SimulateOptions {
  readonly seed: number
  readonly runs: number
  readonly steps: number
  /** Positions of the steps that are taken; all when undefined. */
  readonly only: ReadonlySet<number> | undefined
  readonly quiet: boolean
  readonly print: (line: string) => void
}

const threadsMax = 8

/** Answers with the exit code: 0 when everything held. */
export async function simulateCommand(options: SimulateOptions): Promise<number> {
  const { runs, print } = options
  return runs === 1 ? simulateOne(options, print) : simulateSeveral(options)
}

async function simulateOne(
  { seed, steps, only, quiet }: SimulateOptions,
  print: (line: string) => void,
): Promise<number> {
  const report = await simulate({
    seed,
    steps,
    ...(only === undefined ? {} : { only }),
    ...(quiet ? {} : { print }),
  })
  if (report.violation !== undefined && only === undefined && !quiet) {
    await explain(report, steps, print)
  } else if (report.violation !== undefined) print(violationText(report))
  print(lastLine(report))
  return report.violation === undefined ? 0 : 1
}

async function simulateSeveral(options: SimulateOptions): Promise<number> {
  const { seed, runs, steps, quiet, print } = options
  let events = 0
  let crashes = 0
  let done = 0
  let failed: RunReport | undefined
  await simulateMany({
    seed,
    runs,
    steps,
    threads: Math.min(threadsMax, availableParallelism()),
    onReport: (report) => {
      done += 1
      events += report.events
      crashes += report.crashes
      if (report.violation !== undefined) failed ??= report
      if (!quiet) print(lastLine(report))
    },
  })
  if (failed !== undefined) {
    await explain(failed, steps, print)
    return 1
  }
  print(
    `seeds ${seed} to ${seed + runs - 1}: ${done} runs, ${events} events, ${crashes} dumps, all green`,
  )
  return 0
}

/** What does not hold, the command that shows it, and how few steps it takes. */
async function explain(
  failed: RunReport,
  steps: number,
  print: (line: string) => void,
): Promise<void> {
  const { seed } = failed
  print(violationText(failed))
  print(`repeat: ./lab simulate --seed ${seed} --steps ${steps}`)
  const { kept, runs } = await minimise(failed, steps, (positions) =>
    simulate({ seed, steps, only: new Set(positions) }),
  )
  print(`it takes ${kept.length} of ${failed.stepsBegun} steps (found in ${runs} runs):`)
  const plan = planOf(seed, steps)
  for (const position of kept) {
    const step = plan[position]
    if (step !== undefined) print(`  ${position}: ${describeAction(step.action)}`)
  }
  print(`repeat: ./lab simulate --seed ${seed} --steps ${steps} --only ${kept.join(',') || 'none'}`)
}

function violationText({ seed, violation }: RunReport): string {
  return `seed ${seed}: ${violation?.invariant} does not hold: ${violation?.text}`
}

/** The last line of every run. */
export function lastLine({ seed, events, hash }: RunReport): string {
  return `seed ${seed}: ${events} events, hash ${hash}`
}
