/**
 * Whether a capture may begin: room is set aside for all of it before a byte of the vmcore is fetched, and one partition in
 * a crash loop gets only so many captures an hour. Who is refused waits; the partition keeps its memory meanwhile.
 */
import { KeyedMutex, momentOf } from '@fadump-lab/shared/runtime'
import type { CollectorSettings } from '../deps.ts'
import { evict, type EvictionTools } from '../retention/evict.ts'
import { planRoom } from '../retention/plan.ts'
import type { StoredDump } from '../store/dump-index.ts'
import { fileIn, type DumpName, type Place } from '../store/layout.ts'
import { readProgress } from '../store/progress.ts'

export type WaitingReason = 'room' | 'rate'

/** Not now. The message says what there is, what is needed, and what people can do. */
export class AdmissionRefusedError extends Error {
  override readonly name = 'AdmissionRefusedError'
  readonly reason: WaitingReason
  constructor(reason: WaitingReason, message: string) {
    super(message)
    this.reason = reason
  }
}

const hourMs = 3_600_000
const bytesPerMebibyte = 1024n * 1024n

export interface Wanted {
  readonly place: Place
  /** Bytes that its manifest vouches for. */
  readonly populatedBytes: bigint
}

interface Beginning {
  readonly dump: string
  readonly atMs: number
}

export class Admission {
  readonly #tools: EvictionTools
  readonly #settings: CollectorSettings
  /** Room is counted by one capture at a time. */
  readonly #counting = new KeyedMutex()
  /** By partition, of the last hour: dumps that are removed since still count. */
  readonly #begun = new Map<string, Beginning[]>()

  constructor(tools: EvictionTools, settings: CollectorSettings) {
    this.#tools = tools
    this.#settings = settings
  }

  /** Counts a capture once, however often it runs. Errors: `AdmissionRefusedError` for `rate`. */
  async admitRate(name: DumpName): Promise<void> {
    const max = this.#settings.capturesPerHourMax
    if (max === 0) return
    await this.#counting.run(`rate ${name.partition}`, async () => {
      const others = await this.#beginningsOfOthers(name)
      if (others.length >= max) {
        this.#tools.metrics.count('fadump_admissions_refused_total', { reason: 'rate' })
        throw new AdmissionRefusedError('rate', rateText(name.partition, max))
      }
      const atMs = this.#tools.clock.now()
      this.#begun.set(name.partition, [...others, { dump: name.dump, atMs }])
    })
  }

  /**
   * Calls `reserve` with what it then counts on, and takes it back when there is no room. Two collectors that ask at the
   * same time see each other's reservation, so both may be refused but never both admitted to the same room. Older dumps of
   * the same partition are removed for it where that is enough. Errors: `AdmissionRefusedError` for `room`.
   */
  async admitRoom(wanted: Wanted, reserve: (isAdmitted: boolean) => Promise<void>): Promise<void> {
    await this.#counting.run('room', async () => {
      await reserve(true)
      const { shortage, text } = await this.#count(wanted)
      if (shortage <= 0n || (await this.#makeRoom(wanted, shortage))) return
      await reserve(false)
      this.#tools.metrics.count('fadump_admissions_refused_total', { reason: 'room' })
      throw new AdmissionRefusedError('room', text)
    })
  }

  /** Whether a capture that was refused would be admitted now. */
  async wouldAdmit(wanted: Wanted, reason: WaitingReason): Promise<boolean> {
    if (reason === 'rate') {
      const others = await this.#beginningsOfOthers(wanted.place)
      return others.length < this.#settings.capturesPerHourMax
    }
    return (await this.#count(wanted)).shortage <= 0n
  }

  /** Forgets what is older than an hour. */
  forget(): void {
    const since = this.#tools.clock.now() - hourMs
    for (const [partition, begun] of this.#begun) {
      if (begun.every(({ atMs }) => atMs <= since)) this.#begun.delete(partition)
    }
  }

  async #beginningsOfOthers({ partition, dump }: DumpName): Promise<readonly Beginning[]> {
    const since = this.#tools.clock.now() - hourMs
    const begun = new Map<string, number>()
    for (const stored of await this.#tools.index.list(partition)) {
      begun.set(stored.dump.id, momentOf(stored.dump.startedAt))
    }
    for (const own of this.#begun.get(partition) ?? []) begun.set(own.dump, own.atMs)
    begun.delete(dump)
    return [...begun].map(([id, atMs]) => ({ dump: id, atMs })).filter(({ atMs }) => atMs > since)
  }

  async #count(wanted: Wanted): Promise<{ readonly shortage: bigint; readonly text: string }> {
    const { files, root, index } = this.#tools
    const free = BigInt(await files.freeBytes(root))
    const needed = await this.#stillToCome(wanted)
    let promised = 0n
    for (const stored of await index.list()) {
      if (stored.dump.id !== wanted.place.dump) promised += await this.#promisedTo(stored)
    }
    const reserve = BigInt(this.#settings.reserveBytes)
    const text =
      `dump ${wanted.place.dump} needs ${mebibytes(needed)} of room; ${mebibytes(free)} are free, of which ` +
      `${mebibytes(promised)} are promised to other dumps and ${mebibytes(reserve)} stay free. ` +
      'Delete dumps, lower the retention limits or enlarge the disk: the capture then goes on by itself'
    return { shortage: needed + promised + reserve - free, text }
  }

  async #promisedTo({ place, dump }: StoredDump): Promise<bigint> {
    if (place.kind !== 'incomplete' || dump.status !== 'capturing') return 0n
    const progress = await readProgress(this.#tools.files, place)
    if (progress?.isAdmitted !== true) return 0n
    return this.#stillToCome({ place, populatedBytes: progress.populatedBytes ?? 0n })
  }

  async #stillToCome({ place, populatedBytes }: Wanted): Promise<bigint> {
    const facts = await this.#tools.files.facts(fileIn(place, 'vmcore'))
    const left = populatedBytes - BigInt(facts?.storedBytes ?? 0)
    return left > 0n ? left : 0n
  }

  async #makeRoom({ place }: Wanted, shortage: bigint): Promise<boolean> {
    const { index, clock } = this.#tools
    const policy = this.#settings.retention
    const plan = planRoom(await index.list(place.partition), shortage, {
      policy,
      nowMs: clock.now(),
    })
    for (const eviction of plan ?? []) await evict(this.#tools, eviction)
    return plan !== undefined
  }
}

function rateText(partition: string, max: number): string {
  return (
    `partition ${partition} has had ${max} captures within an hour, the most that one partition gets. ` +
    'Look for a crash loop, or raise CAPTURES_PER_HOUR_MAX: the capture goes on by itself when the hour is over'
  )
}

/** Rounded up. */
function mebibytes(bytes: bigint): string {
  return `${(bytes + bytesPerMebibyte - 1n) / bytesPerMebibyte} MiB`
}
