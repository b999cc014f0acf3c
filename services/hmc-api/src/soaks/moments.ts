/** When what happened to whom, as the event log tells it: the phases of a crash, and the marks by which outcomes are explained. */
import {
  soakPhaseNames,
  soakPhases,
  type LabEvent,
  type SoakCrash,
  type SoakMoment,
} from '@fadump-lab/shared/contracts'

/** Rows that are kept of one crash. */
const rowsMax = 400

const partitionMoments: Readonly<Record<string, SoakMoment>> = {
  terminate: 'terminate',
  preserved: 'preserved',
  released: 'released',
}
const dumpMoments: Readonly<Record<string, SoakMoment>> = {
  claimed: 'claimed',
  transfer: 'transfer',
  transferred: 'transferred',
  verified: 'verified',
  stored: 'stored',
}

/** The story of one crash; only the first time counts that something happened. */
export class CrashStory {
  readonly partition: string
  readonly rows: LabEvent[] = []
  readonly #at = new Map<SoakMoment, number>()

  constructor(partition: string) {
    this.partition = partition
  }

  /** The order to crash; what was before does not belong to it. */
  begin(nowMs: number): void {
    this.rows.length = 0
    this.#at.clear()
    this.#at.set('crash', nowMs)
  }

  /** `nowMs`: when the row was seen; the clocks of services may jump. */
  tell(event: LabEvent, nowMs: number): void {
    if (this.rows.length < rowsMax) this.rows.push(event)
    const moment = momentOfEvent(event)
    if (moment === undefined || this.#at.has(moment)) return
    if (moment === 'register' && !this.#at.has('released')) return
    this.#at.set(moment, nowMs)
  }

  has(moment: SoakMoment): boolean {
    return this.#at.has(moment)
  }

  /** Whether the log has a row of this event. */
  happened(event: string): boolean {
    return this.rows.some((row) => row.event === event)
  }

  /** Milliseconds between two moments; a clock that is set back makes none negative. */
  between(from: SoakMoment, to: SoakMoment): number | undefined {
    const start = this.#at.get(from)
    const end = this.#at.get(to)
    return start === undefined || end === undefined ? undefined : Math.max(0, end - start)
  }

  phases(): SoakCrash['phases'] {
    return Object.fromEntries(
      soakPhaseNames.flatMap((name) => {
        const { from, to } = soakPhases[name]
        const ms = this.between(from, to)
        return ms === undefined ? [] : [[name, ms]]
      }),
    )
  }
}

function momentOfEvent({ aggregate, service, event, to }: LabEvent): SoakMoment | undefined {
  if (aggregate === 'partition') return to === 'capturing' ? 'capturing' : partitionMoments[event]
  if (aggregate === 'dump' && service === 'dump-collector') return dumpMoments[event]
  return aggregate === 'registration' && event === 'register' ? 'register' : undefined
}

/** The partition that an event is about; dumps are named after theirs. */
export function partitionOfEvent({ aggregate, subject, detail }: LabEvent): string {
  if (aggregate === 'dump') return subject.replace(/-[0-9a-f]+-\d+$/, '')
  if (aggregate === 'job') return String(detail?.['partition'] ?? '')
  return subject
}
