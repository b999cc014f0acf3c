/** Who was refused what, on the event stream and in the log, and no more of it than can be read. */
import type { LabEvent } from '../contracts/index.ts'
import type { Clock } from '../runtime/index.ts'

export interface AuditDeps {
  readonly clock: Clock
  readonly events: { append(event: LabEvent): Promise<unknown> }
  readonly logger: {
    warn(facts: object, text: string): void
    error(facts: object, text: string): void
  }
}

/** A row without what the trail fills in. */
export type AuditRow = Pick<
  LabEvent,
  'aggregate' | 'subject' | 'event' | 'correlationId' | 'detail'
>

/**
 * Rows of refusals a minute. A flood of forged requests must not push the story of the partitions out of the stream,
 * which keeps a bounded number of rows; what is left out is counted in the next row.
 */
export const refusalRowsPerMinute = 60
const minuteMs = 60_000

export class AuditTrail {
  readonly #deps: AuditDeps
  readonly #service: LabEvent['service']
  #window = { startedAt: Number.NEGATIVE_INFINITY, rows: 0 }
  #suppressed = 0

  constructor(deps: AuditDeps, service: LabEvent['service']) {
    this.#deps = deps
    this.#service = service
  }

  /** A refusal: bounded. */
  async refusal(row: Omit<AuditRow, 'aggregate' | 'event'>): Promise<void> {
    if (!this.#mayWrite()) {
      this.#suppressed += 1
      return
    }
    const suppressed = this.#suppressed
    this.#suppressed = 0
    const detail = { ...row.detail, ...(suppressed === 0 ? {} : { suppressed }) }
    this.#deps.logger.warn({ operation: row.subject, ...detail }, 'access refused')
    await this.record({ ...row, aggregate: 'access', event: 'refused', detail })
  }

  /** A row of its own for what an authenticated user did. That it cannot be written changes nothing about it. */
  async record(row: AuditRow): Promise<void> {
    const { clock, events, logger } = this.#deps
    try {
      await events.append({ ...row, time: clock.iso(), service: this.#service })
    } catch (error) {
      logger.error({ err: error, operation: row.subject }, 'an audit row could not be written')
    }
  }

  #mayWrite(): boolean {
    const now = this.#deps.clock.now()
    if (now - this.#window.startedAt >= minuteMs) this.#window = { startedAt: now, rows: 0 }
    this.#window.rows += 1
    return this.#window.rows <= refusalRowsPerMinute
  }
}
