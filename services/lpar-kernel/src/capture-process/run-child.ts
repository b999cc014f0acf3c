/** Runs one capture process and finds out how it ended. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import type { ControlGroup } from './control-group.ts'
import { atStart } from './live-through.ts'
import type { CaptureOutcome, CaptureWork } from './port.ts'

const program = `${import.meta.dirname}/child.ts`

interface Report {
  readonly step: number
  readonly usedBytes: number
}

/** Errors: when the process ended neither at the end of its work nor by the OOM killer. `signal` ends it. */
export async function runChild(
  work: CaptureWork,
  group: Pick<ControlGroup, 'oomKills'>,
  { signal, path = program }: { readonly signal: AbortSignal; readonly path?: string },
): Promise<CaptureOutcome> {
  const killsBefore = group.oomKills()
  const child = spawn(process.execPath, [path], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: {},
    signal,
    killSignal: 'SIGTERM',
  })
  const ended = once(child, 'close')
  // A child that is dead before it has read everything.
  child.stdin.on('error', () => undefined)
  child.stdin.end(JSON.stringify(work))
  const [said, [code, killedBy]] = await Promise.all([text(child.stdout), ended])
  const reports = reportsIn(said)
  if (code === 0) return survived(reports)
  const kills = group.oomKills()
  const isOom = killsBefore === undefined || kills === undefined || kills > killsBefore
  const outcome = killedBy === 'SIGKILL' && isOom ? killed(reports, work) : undefined
  if (outcome !== undefined) return outcome
  throw new Error(
    `a capture process ended with ${killedBy ?? `exit code ${code}`} after ${reports.length} reports, and not by the OOM killer`,
  )
}

function reportsIn(said: string): readonly Report[] {
  return said
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [step = NaN, usedBytes = NaN] = line.split(' ').map(Number)
      return { step, usedBytes }
    })
}

function survived(reports: readonly Report[]): CaptureOutcome {
  const ownBytes = reports[0]?.usedBytes ?? 0
  return {
    end: 'survived',
    ownBytes,
    peakBytes: Math.max(...reports.map(({ usedBytes }) => usedBytes)),
  }
}

/** `undefined` when it was killed before it had said what it was about to do. */
function killed(reports: readonly Report[], { steps }: CaptureWork): CaptureOutcome | undefined {
  const [first, last] = [reports[0], reports.at(-1)]
  const step = steps[last?.step ?? atStart]
  if (first === undefined || last === undefined || step === undefined) return undefined
  const { phase, consumer } = step
  return { end: 'killed', ownBytes: first.usedBytes, usedBytes: last.usedBytes, phase, consumer }
}
