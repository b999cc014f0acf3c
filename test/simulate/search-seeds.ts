/**
 * `node test/simulate/search-seeds.ts FIRST COUNT STEPS`, run in a copy of the sources that has a planted bug: simulates one
 * seed after the other until one shows something, and prints that as one row of JSON, or `null` when none has.
 */
import { simulate, type RunReport } from '../../scripts/lab/simulate/simulation.ts'

interface Row {
  readonly seed: number
  readonly invariant: string
  readonly text: string
}

async function main([first = 1, count = 1, steps = 12]: readonly number[]): Promise<void> {
  const lost = Promise.withResolvers<unknown>()
  process.once('unhandledRejection', lost.resolve)
  for (let seed = first; seed < first + count; seed++) {
    const outcome = await Promise.race([simulate({ seed, steps }), lost.promise.then(leftAlone)])
    if (outcome.violation !== undefined) return tell({ seed, ...outcome.violation })
  }
  tell(null)
}

/** In a process of its own, a service would have ended by it. */
function leftAlone(error: unknown): Pick<RunReport, 'violation'> {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return { violation: { invariant: 'I4', text: `nobody handles ${text}` } }
}

function tell(row: Row | null): void {
  process.stdout.write(`${JSON.stringify(row)}\n`)
}

await main(process.argv.slice(2).map(Number))
