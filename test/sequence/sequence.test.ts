/**
 * Whatever happens to a partition, in whatever order, hypervisor and kernel do what the tables of the specification say.
 * The services are the real ones; what they must do comes from an independent reference model (model.ts).
 */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { z } from 'zod'
import { giveThreadsRoom, threadLimits } from '../../scripts/lab/simulate/thread-heap.ts'
import type { CheckOptions } from './check-sequences.ts'

/** The date of the patch series. Each thread has a seed of its own, so that none repeats what another has checked. */
const seed = 20_111_115
const threads = 2
/** What CI has time for; `node test/sequence/replay.ts --runs 50000` goes on. */
const sequencesPerThread = 5_000

const report = z.strictObject({ isGreen: z.boolean(), runs: z.int(), text: z.string() })

async function checkInThread(options: CheckOptions): Promise<z.output<typeof report>> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>()
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData: options,
    resourceLimits: threadLimits,
  })
  worker.once('message', resolve)
  worker.once('error', reject)
  worker.once('exit', () => reject(new Error('the thread ended without a report')))
  return report.parse(await promise)
}

suite('generated sequences', () => {
  test('10000 sequences of RTAS calls, sysfs writes, crashes, reboots and faults end as the reference model says', async () => {
    giveThreadsRoom()
    const reports = await Promise.all(
      Array.from({ length: threads }, (_, index) =>
        checkInThread({ seed: seed + index, runs: sequencesPerThread }),
      ),
    )
    const failed = reports.filter(({ isGreen }) => !isGreen)
    assert.equal(failed.length, 0, failed.map(({ text }) => text).join('\n\n'))
    const runs = reports.reduce((sum, one) => sum + one.runs, 0)
    assert.equal(runs, threads * sequencesPerThread)
  })
})
