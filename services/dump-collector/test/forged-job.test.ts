import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { captureQueue, type CaptureJob } from '@fadump-lab/shared/contracts'
import { newRoomKeys, signedCaptureJob } from '@fadump-lab/shared/identity'
import { createInProcessQueues } from '@fadump-lab/shared/queue'
import { seededRandom, VirtualClock } from '@fadump-lab/shared/runtime'
import { eventually } from '../../../test/support/eventually.ts'
import { openRoom } from './collector-room.ts'
import { aVmcore, startFakeKernel } from './fake-kernel.ts'

suite('a capture job that no kernel host has written', () => {
  const forgeries: readonly [string, (job: CaptureJob) => CaptureJob][] = [
    ['for another address', (job) => ({ ...job, partitionUrl: `${job.partitionUrl}/../p1` })],
    ['for another dump', (job) => ({ ...job, dump: 'p1-2' })],
    ['for another boot', (job) => ({ ...job, epoch: job.epoch + 1 })],
    ['made with another key', (job) => signedCaptureJob(newRoomKeys(seededRandom(9)).dumpKey, job)],
  ]
  for (const [what, forge] of forgeries) {
    test(`${what} makes no request, leaves no dump, and is told`, async () => {
      await using room = await openRoom()
      await using kernel = await startFakeKernel(aVmcore())
      await using queues = createInProcessQueues({ clock: new VirtualClock() })
      await using collector = await room.startCollector({ queues })
      const forged = forge(kernel.job)
      await queues.open(captureQueue).add('forged', forged)
      await eventually('the job is over', async () => {
        const { waiting, active, delayed } = await queues.open(captureQueue).counts()
        return waiting + active + delayed === 0
      })
      assert.deepEqual(kernel.requests, [])
      assert.deepEqual(await collector.client.listDumps({}), [])
      const [row, ...more] = await room.events()
      assert.deepEqual(more, [])
      const { aggregate, event, detail } = row ?? {}
      assert.deepEqual([aggregate, event, detail?.['dump']], ['access', 'refused', forged.dump])
    })
  }
})
