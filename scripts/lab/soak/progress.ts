/** How far a soak is: a bar with rate and failures on a terminal, lines now and then elsewhere. */
import type { Soak } from '@fadump-lab/shared/contracts'
import { momentOf } from '@fadump-lab/shared/runtime'
import { MultiBar } from 'cli-progress'

export interface Progress extends Disposable {
  show(soak: Soak): void
  /** A line of its own, which stays. */
  say(line: string): void
}

export interface ProgressOptions {
  readonly print: (line: string) => void
  /** Where a bar is drawn; absent, or no terminal: there is none. */
  readonly stream?: NodeJS.WriteStream
  /** Milliseconds. */
  readonly now: () => number
}

/** Chooses by `stream`. */
export function progressOn(options: ProgressOptions): Progress {
  const { stream } = options
  return stream?.isTTY === true ? barOn(stream, options.now) : linesOn(options.print)
}

/** Nothing at all. */
export const noProgress: Progress = {
  show: () => undefined,
  say: () => undefined,
  [Symbol.dispose]: () => undefined,
}

/** Looks between two lines where nothing can be written over: ten seconds. */
const quietLooks = 20

function linesOn(print: (line: string) => void): Progress {
  const failures = new Failures(print)
  let looks = 0
  let last = ''
  return {
    say: print,
    show: (soak) => {
      failures.tell(soak)
      const line = `${soak.id} ${soak.state.padEnd(9)} ${counts(soak)}`
      const isDue = looks % quietLooks === 0 || soak.completedAt !== undefined
      looks += 1
      if (!isDue || line === last) return
      last = line
      print(line)
    },
    [Symbol.dispose]: () => undefined,
  }
}

/** Of the bar: the library counts whole steps. */
const steps = 1000
const barCharacters = 28

function barOn(stream: NodeJS.WriteStream, now: () => number): Progress {
  const bars = new MultiBar({
    stream,
    format: '{state} {bar} {percentage} % {text}',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: barCharacters,
    hideCursor: true,
    gracefulExit: false,
    emptyOnZero: true,
  })
  const say = (line: string): void => bars.log(`${line}\n`)
  const bar = bars.create(steps, 0, { state: '', text: '' })
  const failures = new Failures(say)
  return {
    say,
    show: (soak) => {
      failures.tell(soak)
      const share = shareOf(soak, now())
      bar.update(Math.round(share * steps), { state: soak.state.padEnd(9), text: counts(soak) })
    },
    [Symbol.dispose]: () => {
      // What was said last goes out with an update only.
      bars.update()
      bars.stop()
    },
  }
}

/** Each one once. */
class Failures {
  readonly #say: (line: string) => void
  #told = 0

  constructor(say: (line: string) => void) {
    this.#say = say
  }

  tell({ failures }: Soak): void {
    for (const failure of failures.slice(this.#told)) this.#say(`FAILED ${failure}`)
    this.#told = failures.length
  }
}

/** Of its crashes, or of its time, whichever is further; 0 to 1. */
export function shareOf({ asked, progress, startedAt, completedAt }: Soak, nowMs: number): number {
  if (completedAt !== undefined) return 1
  const { planned, ended } = progress
  const ofCrashes = planned === undefined ? 0 : ended / Math.max(1, planned)
  const seconds = (nowMs - momentOf(startedAt)) / 1000
  const ofTime = asked.seconds === undefined ? 0 : seconds / asked.seconds
  return Math.min(1, Math.max(0, ofCrashes, ofTime))
}

function counts({ progress }: Soak): string {
  const { planned, ended, dumps, absent, failed, perSecond, transferredBytes } = progress
  const of = planned === undefined ? '' : `/${planned}`
  return (
    `${ended}${of} crashes, ${dumps} dumps, ${absent} rightly absent, ${failed} failed, ` +
    `${perSecond.toFixed(1)}/s, ${(transferredBytes / 1_048_576).toFixed(0)} MiB`
  )
}
