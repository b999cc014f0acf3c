import assert from 'node:assert/strict'
import { WriteStream } from 'node:tty'
import test, { suite } from 'node:test'
import { newSoak, type Soak } from '@fadump-lab/shared/contracts'
import { momentOf } from '@fadump-lab/shared/runtime'
import { progressOn, shareOf } from './progress.ts'

const startedAt = '2011-11-04T12:00:00.000Z'
const startedMs = momentOf(startedAt)

function soak(change: Partial<Soak> = {}, progress: Partial<Soak['progress']> = {}): Soak {
  return {
    id: 'soak-1',
    state: 'crashing',
    seed: 1,
    asked: newSoak.parse({ crashes: 8 }),
    startedAt,
    progress: {
      planned: 8,
      partitions: 2,
      begun: 3,
      ended: 2,
      dumps: 1,
      absent: 0,
      failed: 1,
      transferredBytes: 3 * 2 ** 20,
      perSecond: 0.5,
      ...progress,
    },
    failures: [],
    correlationId: 'c',
    ...change,
  }
}

const counts = '2/8 crashes, 1 dumps, 0 rightly absent, 1 failed, 0.5/s, 3 MiB'

/** A terminal of 120 columns that keeps what is written. */
function terminal(): { readonly stream: WriteStream; readonly text: () => string } {
  let text = ''
  const stream = Object.create(WriteStream.prototype, {
    isTTY: { value: true },
    columns: { value: 120 },
    rows: { value: 40 },
    write: {
      value: (piece: string) => {
        text += piece
        return true
      },
    },
    // As if all had gone out at once.
    on: { value: () => stream },
    once: { value: () => stream },
  }) as WriteStream
  return { stream, text: () => text }
}

suite('how far a soak is', () => {
  test('is a line at the beginning, every twentieth look and at the end where there is no terminal', () => {
    const lines: string[] = []
    using progress = progressOn({ print: (line) => lines.push(line), now: () => startedMs })
    for (let ended = 0; ended <= 40; ended += 1) progress.show(soak({}, { ended }))
    progress.show(soak({ state: 'passed', completedAt: startedAt }, { ended: 41 }))
    assert.deepEqual(
      lines.map((line) => /(\d+)\/8/.exec(line)?.[1]),
      ['0', '20', '40', '41'],
    )
    assert.match(lines[3] ?? '', /^soak-1 passed {4}41\/8 crashes/)
  })

  test('a failure is told once, when it comes', () => {
    const lines: string[] = []
    using progress = progressOn({ print: (line) => lines.push(line), now: () => startedMs })
    progress.show(soak())
    progress.show(soak({ failures: ['crash 1 of p1: CPU notes: 0, not 4'] }))
    progress.show(soak({ failures: ['crash 1 of p1: CPU notes: 0, not 4', 'crash 2'] }))
    assert.deepEqual(lines.slice(1), [
      'FAILED crash 1 of p1: CPU notes: 0, not 4',
      'FAILED crash 2',
    ])
  })

  test('is a bar on a terminal, with counts and rate, below the lines that stay', () => {
    const { stream, text } = terminal()
    const lines: string[] = []
    const progress = progressOn({ print: (line) => lines.push(line), stream, now: () => startedMs })
    progress.show(soak())
    progress.say('12.0 s: paused hypervisor')
    progress[Symbol.dispose]()
    assert.ok(text().includes(`crashing  ${'█'.repeat(7)}${'░'.repeat(21)} 25 % ${counts}`), text())
    assert.ok(text().includes('12.0 s: paused hypervisor\n'))
    assert.deepEqual(lines, [])
  })

  test('is a share of the crashes or of the time, whichever is further', () => {
    const byCrashes = soak()
    assert.equal(shareOf(byCrashes, startedMs + 60_000), 0.25)
    const byTime = soak({ asked: newSoak.parse({ seconds: 100 }) }, { planned: 0 })
    assert.equal(shareOf(byTime, startedMs + 60_000), 1, 'two of none have ended')
    const { planned: _planned, ...without } = byTime.progress
    assert.equal(shareOf({ ...byTime, progress: without }, startedMs + 60_000), 0.6)
    assert.equal(shareOf({ ...byTime, progress: without }, startedMs + 600_000), 1)
    assert.equal(shareOf({ ...byTime, completedAt: startedAt, progress: without }, startedMs), 1)
  })
})
