import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { dump } from '@fadump-lab/shared/contracts'
import type { StoredDump } from '../store/dump-index.ts'
import { planRetention, planRoom, type Eviction, type RetentionPolicy } from './plan.ts'

const hourMs = 3_600_000
const nowMs = Date.UTC(2026, 0, 31)
const keepAll: RetentionPolicy = { ageMsMax: 0, dumpsPerPartitionMax: 0, bytesMax: 0, graceMs: 0 }

/** `p1-3`: the dump of partition `p1` that ended so many hours ago. */
function stored(id: string, hoursAgo: number, change: Record<string, unknown> = {}): StoredDump {
  const partition = id.split('-')[0] ?? ''
  const at = new Date(nowMs - hoursAgo * hourMs).toISOString()
  const decoded = dump.decode({
    id,
    partition,
    frame: 'server-1',
    status: 'complete',
    step: 'complete',
    sizeBytes: 100,
    transferredBytes: 100,
    storedBytes: 100,
    attempts: 1,
    released: true,
    startedAt: at,
    completedAt: at,
    correlationId: 'c1',
    ...change,
  } as never)
  const directory = `/dumps/${partition}/${id}`
  return { place: { partition, dump: id, kind: 'final', directory }, dump: decoded }
}

const named = (evictions: readonly Eviction[] | undefined): readonly string[] | undefined =>
  evictions?.map(({ stored: { dump: gone }, reason }) => `${gone.id} ${reason}`)

const planned = (dumps: readonly StoredDump[], policy: Partial<RetentionPolicy>) =>
  named(planRetention(dumps, { ...keepAll, ...policy }, nowMs))

suite('retention', () => {
  test('removes nothing unless it is told to', () => {
    assert.deepEqual(planned([stored('p1-1', 100_000)], {}), [])
  })

  test('by age removes what ended too long ago, also what never became whole', () => {
    const failed = { status: 'failed', step: 'failed' }
    const dumps = [stored('p1-1', 49), stored('p1-2', 47), stored('p2-1', 50, failed)]
    assert.deepEqual(planned(dumps, { ageMsMax: 48 * hourMs }), ['p2-1 age', 'p1-1 age'])
  })

  test('by count makes a crash loop push out its own dumps and nobody else’s', () => {
    const loop = [1, 2, 3, 4, 5].map((n) => stored(`p1-${n}`, 10 - n))
    const dumps = [stored('p2-1', 1000), ...loop]
    const expected = ['p1-1 count', 'p1-2 count', 'p1-3 count']
    assert.deepEqual(planned(dumps, { dumpsPerPartitionMax: 2 }), expected)
  })

  test('by bytes lets the partition that takes most give first, its oldest dump first', () => {
    const loop = [1, 2, 3, 4].map((n) => stored(`p1-${n}`, 10 - n))
    const dumps = [stored('p2-1', 1000), stored('p3-1', 500, { storedBytes: 150 }), ...loop]
    assert.deepEqual(planned(dumps, { bytesMax: 350 }), ['p1-1 bytes', 'p1-2 bytes', 'p1-3 bytes'])
  })

  test('leaves alone what is pinned, what is younger than the grace, and what is not at rest', () => {
    const dumps = [
      stored('p1-1', 100, { pinned: true }),
      stored('p1-2', 90, { step: 'releasing' }),
      stored('p1-3', 80, { status: 'capturing', step: 'transferring' }),
      stored('p1-4', 0.5),
      stored('p1-5', 2),
    ]
    const policy = { ageMsMax: 1, dumpsPerPartitionMax: 1, bytesMax: 1, graceMs: hourMs }
    assert.deepEqual(planned(dumps, policy), ['p1-5 age'])
  })

  test('makes room with as many of a partition’s dumps as are needed, or with none', () => {
    const dumps = [
      stored('p1-1', 9),
      stored('p1-2', 8, { pinned: true }),
      stored('p1-3', 7),
      stored('p1-4', 0.5),
    ]
    const policy = { ...keepAll, graceMs: hourMs }
    const room = (bytes: bigint) => named(planRoom(dumps, bytes, { policy, nowMs }))
    assert.deepEqual(room(100n), ['p1-1 room'])
    assert.deepEqual(room(101n), ['p1-1 room', 'p1-3 room'])
    assert.equal(room(201n), undefined)
  })
})
