/** Memory that is really taken, in the resident set of this process. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { liveThrough } from './live-through.ts'

const MiB = 2 ** 20
/** What else happens in a process that runs tests. */
const noiseBytes = 12 * MiB

test('after each step as much is resident as the model has taken; what is given back is free at once', () => {
  const usedBytes = () => process.memoryUsage.rss()
  const before = usedBytes()
  const reports: [step: number, above: number][] = []
  const step = (bytes: number) => ({ phase: 'udev', consumer: 'workers', bytes })
  liveThrough(
    {
      limitMiB: 256,
      reserveBytes: before,
      steps: [step(32 * MiB), step(96 * MiB), step(-96 * MiB), step(16 * MiB)],
    },
    { usedBytes, tell: (index, used) => reports.push([index, used - before]) },
  )
  assert.deepEqual(
    reports.map(([index]) => index),
    [-1, 0, 1, 2, 3, 4],
  )
  for (const [at, expected] of [0, 0, 32, 128, 32, 48].entries()) {
    const above = reports[at]?.[1] ?? NaN
    assert.ok(Math.abs(above - expected * MiB) < noiseBytes, `${at}: ${above / MiB} MiB`)
  }
})

test('a model that has taken less than the process itself adds nothing', () => {
  const reports: number[] = []
  const step = { phase: 'kernel', consumer: 'kernel image', bytes: MiB }
  const given = { limitMiB: 256, reserveBytes: MiB, steps: [step] }
  const before = process.memoryUsage().arrayBuffers
  liveThrough(given, { usedBytes: () => 64 * MiB, tell: (_step, used) => reports.push(used) })
  assert.ok(process.memoryUsage().arrayBuffers - before < MiB)
  assert.equal(reports.length, 3)
})
