/** Passes over the stored dumps in search of bit rot, one at a time, no faster than they are allowed to read. */
import type { Scrub } from '@fadump-lab/shared/contracts'
import { momentOf } from '@fadump-lab/shared/runtime'
import { byteLength } from '@fadump-lab/shared/units'
import type { CollectorSettings } from '../deps.ts'
import type { DumpIndex, StoredDump } from '../store/dump-index.ts'
import type { RotTools } from '../store/rot.ts'
import { scrubDump } from './scrub-dump.ts'

export interface ScrubberTools extends RotTools {
  readonly index: DumpIndex
  readonly settings: CollectorSettings
}

/** Names in `rotten` (contracts/dump.ts). */
const rottenMax = 1000

export class Scrubber implements AsyncDisposable {
  readonly #tools: ScrubberTools
  readonly #stopped = new AbortController()
  #pass: Promise<void> | undefined
  #state: Scrub = { state: 'idle', dumps: 0, bytes: byteLength(0), rotten: [] }

  constructor(tools: ScrubberTools) {
    this.#tools = tools
  }

  get state(): Scrub {
    return this.#state
  }

  /** Starts a pass over all stored dumps, unless one is under way. */
  start(): Scrub {
    if (this.#pass === undefined) this.#begin(() => true)
    return this.#state
  }

  /** Starts a pass over the dumps whose last look is longer ago than the policy says, if there are any. */
  async startDue(): Promise<void> {
    const { scrubIntervalMs } = this.#tools.settings
    if (scrubIntervalMs === 0 || this.#pass !== undefined) return
    const before = this.#tools.clock.now() - scrubIntervalMs
    const isDue = ({ dump }: StoredDump): boolean =>
      momentOf(dump.scrubbedAt ?? dump.completedAt ?? dump.startedAt) <= before
    const isAnyDue = (await this.#stored()).some(isDue)
    if (isAnyDue && this.#pass === undefined) this.#begin(isDue)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort(new Error('the collector is stopping'))
    await this.#pass
  }

  #begin(isWanted: (stored: StoredDump) => boolean): void {
    const { clock, logger } = this.#tools
    const startedAt = clock.iso()
    this.#state = { state: 'running', startedAt, dumps: 0, bytes: byteLength(0), rotten: [] }
    this.#pass = this.#run(isWanted)
      .catch((error: unknown) => {
        if (!this.#stopped.signal.aborted) logger.error({ err: error }, 'scrubbing ended early')
      })
      .finally(() => {
        const { current: _current, ...rest } = this.#state
        this.#state = { ...rest, state: 'idle', completedAt: clock.iso() }
        this.#pass = undefined
      })
  }

  async #run(isWanted: (stored: StoredDump) => boolean): Promise<void> {
    for (const { dump } of (await this.#stored()).filter(isWanted)) {
      // What it is by now: a pass over a large store takes days.
      const stored = await this.#tools.index.find(dump.id)
      if (stored !== undefined && isAtRest(stored)) await this.#scrub(stored)
    }
  }

  async #scrub(stored: StoredDump): Promise<void> {
    const { id } = stored.dump
    this.#state = { ...this.#state, current: id }
    try {
      const isRotten = await scrubDump(this.#tools, stored, {
        signal: this.#stopped.signal,
        onRead: (length) => this.#throttle(length),
        isStill: (seen) => this.#isStill(seen),
      })
      const rotten = isRotten ? [...this.#state.rotten, id].slice(0, rottenMax) : this.#state.rotten
      this.#state = { ...this.#state, dumps: this.#state.dumps + 1, rotten }
    } catch (error) {
      this.#stopped.signal.throwIfAborted()
      this.#tools.logger.warn({ err: error, dump: id }, 'a dump could not be scrubbed')
    }
  }

  async #throttle(length: number): Promise<void> {
    const { clock, metrics, settings } = this.#tools
    metrics.count('fadump_scrubbed_bytes_total', {}, length)
    const bytes = byteLength(this.#state.bytes + BigInt(length))
    this.#state = { ...this.#state, bytes }
    const pauseMs = Math.ceil((length * 1000) / settings.scrubBytesPerSecond)
    if (pauseMs > 0) await clock.sleep(pauseMs, this.#stopped.signal)
  }

  async #isStill({ place, dump }: StoredDump): Promise<boolean> {
    const present = await this.#tools.index.find(dump.id)
    const isSame = present?.place.directory === place.directory && present.dump.step === dump.step
    return isSame && !this.#tools.index.isLive(dump.id)
  }

  async #stored(): Promise<readonly StoredDump[]> {
    return (await this.#tools.index.list()).filter(isAtRest)
  }
}

function isAtRest({ place, dump }: StoredDump): boolean {
  return place.kind === 'final' && (dump.step === 'complete' || dump.step === 'failed')
}
