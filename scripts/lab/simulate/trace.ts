/** What happened, one line an event, and the hash over all of them: equal runs have equal hashes. */
import { createHash } from 'node:crypto'
import type { Clock } from '@fadump-lab/shared/runtime'

export interface TraceLine {
  /** A service of the room, `network`, `disk`, `memory`, or `you` for what is done from outside. */
  readonly who: string
  /** What it is about: a partition, a dump, a job, a host. */
  readonly subject: string
  readonly event: string
  readonly detail?: string
}

const timeWidth = 10
const whoWidth = 12
const subjectWidth = 20

export class Trace {
  readonly #clock: Clock
  readonly #startMs: number
  readonly #hash = createHash('sha256')
  readonly #print: ((line: string) => void) | undefined
  #events = 0
  #isOver = false

  constructor(clock: Clock, print?: (line: string) => void) {
    this.#clock = clock
    this.#startMs = clock.now()
    this.#print = print
  }

  get events(): number {
    return this.#events
  }

  /** Hexadecimal digits; what is told afterwards is of no run any more. */
  digest(): string {
    this.#isOver = true
    return this.#hash.digest('hex').slice(0, 16)
  }

  tell({ who, subject, event, detail = '' }: TraceLine): void {
    if (this.#isOver) return
    const seconds = ((this.#clock.now() - this.#startMs) / 1000).toFixed(3)
    const line = [
      seconds.padStart(timeWidth),
      who.padEnd(whoWidth),
      subject.padEnd(subjectWidth),
      `${event} ${detail}`.trimEnd(),
    ].join('  ')
    this.#events += 1
    this.#hash.update(`${line}\n`)
    this.#print?.(line)
  }
}
