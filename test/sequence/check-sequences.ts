/** Many sequences of one seed in one room. */
import fc from 'fast-check'
import { describe, sequences } from './commands.ts'
import { openRoom } from './room.ts'
import { runSequence } from './run-sequence.ts'
import { WarmStart } from './warm-start.ts'

export interface CheckOptions {
  readonly seed: number
  readonly runs: number
  /** As fast-check printed it: the failing sequence alone, already shrunk. */
  readonly path?: string
}

export interface CheckReport {
  readonly isGreen: boolean
  readonly runs: number
  /** For people: what was checked, or the smallest failing sequence and the command that repeats it. */
  readonly text: string
}

export async function checkSequences({ seed, runs, path }: CheckOptions): Promise<CheckReport> {
  // Most calls of most sequences are refused. Nobody looks at where a refusal was made, and noting it takes long.
  Error.stackTraceLimit = 0
  await using room = await openRoom()
  const start = new WarmStart(room)
  const property = fc.asyncProperty(sequences, (sequence) => runSequence(start, room, sequence))
  const details = await fc.check(property, {
    seed,
    numRuns: runs,
    maxSkipsPerRun: 0,
    ...(path === undefined ? {} : { path, endOnFailure: true }),
  })
  if (!details.failed) {
    return {
      isGreen: true,
      runs: details.numRuns,
      text: `seed ${seed}: ${details.numRuns} sequences`,
    }
  }
  const [smallest] = details.counterexample ?? []
  const cause = details.errorInstance instanceof Error ? details.errorInstance.message : ''
  return {
    isGreen: false,
    runs: details.numRuns,
    text: [
      `sequence ${details.numRuns} of seed ${seed} differs from the model; after ${details.numShrinks} steps of shrinking:`,
      smallest === undefined ? '' : describe(smallest),
      cause,
      `repeat: node test/sequence/replay.ts --seed ${seed} --path ${details.counterexamplePath}`,
    ].join('\n'),
  }
}
