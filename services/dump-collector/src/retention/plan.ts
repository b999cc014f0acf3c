/**
 * Which stored dumps go, and why. Pure: the dumps as they are, the policy and the time come in.
 *
 * A crash loop must not cost others their dumps. So the bound on a number is one per partition; when all dumps together
 * are too large, the partition that takes most gives first; and a dump that needs room takes it from older dumps of its own
 * partition only.
 */
import { momentOf } from '@fadump-lab/shared/runtime'
import type { StoredDump } from '../store/dump-index.ts'

export type EvictionReason = 'age' | 'count' | 'bytes' | 'room'

export interface Eviction {
  readonly stored: StoredDump
  readonly reason: EvictionReason
}

export interface RetentionPolicy {
  /** Dumps that ended longer ago are removed; 0: never. */
  readonly ageMsMax: number
  /** Dumps that one partition keeps; 0: any number. */
  readonly dumpsPerPartitionMax: number
  /** Bytes that all stored dumps take together; 0: what the disk has. */
  readonly bytesMax: number
  /** Dumps that ended less long ago are left alone in any case: people have to see them first. */
  readonly graceMs: number
}

/** The dumps that the policy does not keep, oldest first for each reason. */
export function planRetention(
  dumps: readonly StoredDump[],
  policy: RetentionPolicy,
  nowMs: number,
): readonly Eviction[] {
  const planner = new RetentionPlanner(dumps, policy, nowMs)
  if (policy.ageMsMax > 0) planner.evictOlderThan(policy.ageMsMax)
  if (policy.dumpsPerPartitionMax > 0) planner.evictBeyondCount(policy.dumpsPerPartitionMax)
  if (policy.bytesMax > 0) planner.evictBeyondBytes(BigInt(policy.bytesMax))
  return planner.evictions
}

class RetentionPlanner {
  readonly evictions: Eviction[] = []
  readonly #nowMs: number
  /** Stored dumps that stay, the oldest first. */
  readonly #kept: Set<StoredDump>
  /** What may go, the oldest first; those that were never finished too. */
  readonly #free: Set<StoredDump>

  constructor(dumps: readonly StoredDump[], policy: RetentionPolicy, nowMs: number) {
    this.#nowMs = nowMs
    const sorted = dumps.toSorted(oldestFirst)
    this.#kept = new Set(sorted.filter(({ place }) => place.kind === 'final'))
    this.#free = new Set(sorted.filter((stored) => isEvictable(stored, policy, nowMs)))
  }

  evictOlderThan(ageMsMax: number): void {
    for (const stored of this.#free) {
      if (ageMs(stored, this.#nowMs) > ageMsMax) this.#evict(stored, 'age')
    }
  }

  evictBeyondCount(countMax: number): void {
    for (const own of byPartition(this.#kept).values()) {
      const surplus = own.slice(0, Math.max(0, own.length - countMax))
      for (const stored of surplus) if (this.#free.has(stored)) this.#evict(stored, 'count')
    }
  }

  evictBeyondBytes(bytesMax: bigint): void {
    while (bytesOf(this.#kept) > bytesMax) {
      const stored = oldestOfLargest(this.#kept, this.#free)
      if (stored === undefined) return
      this.#evict(stored, 'bytes')
    }
  }

  #evict(stored: StoredDump, reason: EvictionReason): void {
    this.#kept.delete(stored)
    this.#free.delete(stored)
    this.evictions.push({ stored, reason })
  }
}

/** Dumps of one partition that make `bytes` of room, oldest first; `undefined` when they cannot. */
export function planRoom(
  ownDumps: readonly StoredDump[],
  bytes: bigint,
  { policy, nowMs }: { readonly policy: RetentionPolicy; readonly nowMs: number },
): readonly Eviction[] | undefined {
  const evictions: Eviction[] = []
  let freed = 0n
  for (const stored of ownDumps.toSorted(oldestFirst)) {
    if (freed >= bytes) break
    if (stored.place.kind !== 'final' || !isEvictable(stored, policy, nowMs)) continue
    evictions.push({ stored, reason: 'room' })
    freed += stored.dump.storedBytes
  }
  return freed >= bytes ? evictions : undefined
}

function isEvictable(stored: StoredDump, { graceMs }: RetentionPolicy, nowMs: number): boolean {
  const { step, pinned } = stored.dump
  const isAtRest = step === 'complete' || step === 'failed'
  return isAtRest && !pinned && ageMs(stored, nowMs) >= graceMs
}

function ageMs({ dump }: StoredDump, nowMs: number): number {
  return nowMs - momentOf(dump.completedAt ?? dump.startedAt)
}

function byPartition(dumps: Iterable<StoredDump>): ReadonlyMap<string, readonly StoredDump[]> {
  return Map.groupBy(dumps, ({ dump }) => dump.partition)
}

function bytesOf(dumps: Iterable<StoredDump>): bigint {
  let sum = 0n
  for (const { dump } of dumps) sum += dump.storedBytes
  return sum
}

/** Of the partition that takes most among those that can give. */
function oldestOfLargest(
  kept: Iterable<StoredDump>,
  free: ReadonlySet<StoredDump>,
): StoredDump | undefined {
  let largest = -1n
  let oldest: StoredDump | undefined
  for (const own of byPartition(kept).values()) {
    const first = own.find((stored) => free.has(stored))
    const bytes = bytesOf(own)
    if (first === undefined || bytes <= largest) continue
    largest = bytes
    oldest = first
  }
  return oldest
}

function oldestFirst(a: StoredDump, b: StoredDump): number {
  if (a.dump.startedAt !== b.dump.startedAt) return a.dump.startedAt < b.dump.startedAt ? -1 : 1
  return a.dump.id < b.dump.id ? -1 : 1
}
