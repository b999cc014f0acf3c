/** What a store needs from time to time: retention, captures that wait for something, scrubbing, figures. */
import { captureJobId, type CaptureJob } from '@fadump-lab/shared/contracts'
import type { JobQueue } from '@fadump-lab/shared/queue'
import type { Admission } from './admission/admission.ts'
import type { CollectorSettings } from './deps.ts'
import { evict, type EvictionTools } from './retention/evict.ts'
import { planRetention } from './retention/plan.ts'
import type { Scrubber } from './scrub/scrubber.ts'
import type { StoredDump } from './store/dump-index.ts'
import { readProgress } from './store/progress.ts'
import { unfinishedJob } from './store/reconcile.ts'

export interface HousekeeperTools extends EvictionTools {
  readonly settings: CollectorSettings
  readonly admission: Admission
  readonly scrubber: Scrubber
  readonly queue: JobQueue<CaptureJob>
}

const statuses = ['capturing', 'complete', 'partial', 'failed'] as const

export class Housekeeper implements AsyncDisposable {
  readonly #tools: HousekeeperTools
  readonly #stopped = new AbortController()
  readonly #ended: Promise<void>

  constructor(tools: HousekeeperTools) {
    this.#tools = tools
    this.#ended = this.#loop()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort(new Error('the collector is stopping'))
    await this.#ended
  }

  async #loop(): Promise<void> {
    const { clock, settings, logger } = this.#tools
    const { signal } = this.#stopped
    while (!signal.aborted) {
      await clock.sleep(settings.housekeepingMs, signal).catch(() => undefined)
      if (signal.aborted) return
      await this.#round().catch((error: unknown) =>
        logger.warn({ err: error }, 'housekeeping failed; it is tried again'),
      )
    }
  }

  async #round(): Promise<void> {
    const { index, settings, clock, admission, scrubber } = this.#tools
    const dumps = await index.list()
    for (const eviction of planRetention(dumps, settings.retention, clock.now())) {
      await evict(this.#tools, eviction)
    }
    admission.forget()
    await this.#resume()
    await scrubber.startDue()
    await this.#tell()
  }

  /** Adds the jobs of captures that nobody works on: those whose queue was lost, and those that can have now what they need. */
  async #resume(): Promise<void> {
    const { index, queue } = this.#tools
    for (const stored of await index.list()) {
      if (index.isLive(stored.dump.id)) continue
      const job = (await unfinishedJob(this.#tools, stored)) ?? (await this.#admissible(stored))
      if (job !== undefined) await queue.add(captureJobId(job), job)
    }
  }

  async #admissible({ place, dump }: StoredDump): Promise<CaptureJob | undefined> {
    if (place.kind !== 'incomplete' || dump.status !== 'failed') return undefined
    const progress = await readProgress(this.#tools.files, place)
    if (progress?.waitsFor === undefined) return undefined
    const wanted = { place, populatedBytes: progress.populatedBytes ?? 0n }
    const isAdmissible = await this.#tools.admission.wouldAdmit(wanted, progress.waitsFor)
    return isAdmissible ? progress.job : undefined
  }

  async #tell(): Promise<void> {
    const { index, metrics, files, root } = this.#tools
    const dumps = await index.list()
    const bytes = dumps.reduce((sum, { dump }) => sum + dump.storedBytes, 0n)
    metrics.set('fadump_store_bytes', Number(bytes))
    metrics.set('fadump_store_free_bytes', await files.freeBytes(root))
    for (const status of statuses) {
      const count = dumps.filter(({ dump }) => dump.status === status).length
      metrics.set('fadump_store_dumps', count, { status })
    }
  }
}
