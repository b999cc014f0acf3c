/** The event stream in this process's memory, for compositions without Redis. Gone when the process is. */
import type { LabEvent } from '../contracts/index.ts'
import { eventRowsMax, type EventLog, type EventRow } from './event-log.ts'
import { checkedRowId, checkedRowLimit, encodeEvent } from './event-rules.ts'

export function createHeapEventLog(options: { readonly rowsMax?: number } = {}): EventLog {
  return new HeapEventLog(options.rowsMax ?? eventRowsMax)
}

class HeapEventLog implements EventLog {
  readonly #rowsMax: number
  /** Row number n lies at index n modulo `rowsMax`. */
  readonly #rows: EventRow[] = []
  /** Rows ever appended; the first has number 1. */
  #appended = 0
  #woken = Promise.withResolvers<void>()
  readonly #closing = new AbortController()

  constructor(rowsMax: number) {
    this.#rowsMax = rowsMax
  }

  async append(event: LabEvent): Promise<string> {
    const row = { id: rowId(this.#appended + 1), event: encodeEvent(event) }
    this.#appended++
    this.#rows[this.#appended % this.#rowsMax] = row
    this.#wake()
    return row.id
  }

  async read(after: string | undefined, limit: number): Promise<readonly EventRow[]> {
    return this.#from(after === undefined ? 0 : rowNumber(after), checkedRowLimit(limit))
  }

  follow(after: string | undefined, signal: AbortSignal): AsyncIterable<EventRow> {
    const start = after === undefined ? this.#appended : rowNumber(after)
    return this.#follow(start, AbortSignal.any([signal, this.#closing.signal]))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort()
    this.#rows.length = 0
  }

  async *#follow(start: number, signal: AbortSignal): AsyncGenerator<EventRow, void> {
    const wake = () => this.#wake()
    signal.addEventListener('abort', wake, { once: true })
    let last = start
    try {
      while (!signal.aborted) {
        const woken = this.#woken.promise
        const [row] = this.#from(last, 1)
        if (row === undefined) {
          await woken
          continue
        }
        last = rowNumber(row.id)
        yield row
      }
    } finally {
      signal.removeEventListener('abort', wake)
    }
  }

  #from(after: number, limit: number): readonly EventRow[] {
    const first = Math.max(after + 1, this.#appended - this.#rowsMax + 1)
    const last = Math.min(this.#appended, first + limit - 1)
    const rows: EventRow[] = []
    for (let number = first; number <= last; number++) {
      const row = this.#rows[number % this.#rowsMax]
      if (row !== undefined) rows.push(row)
    }
    return rows
  }

  #wake(): void {
    this.#woken.resolve()
    this.#woken = Promise.withResolvers<void>()
  }
}

/** The form of a Redis stream id, so that nobody comes to depend on another one. */
function rowId(number: number): string {
  return `${number}-0`
}

function rowNumber(id: string): number {
  return Number.parseInt(checkedRowId(id), 10)
}
