/** Captures whose memory is measured: what really happened is told beside what was predicted, and counts. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { CaptureOutcome, CaptureProcess, CaptureWork } from '../capture-process/port.ts'
import { startKernel, type StartedKernel } from '../testing/started-kernel.ts'

const MiB = 2 ** 20
/** The POWER7 of the series: ehea fills 8 queues. */
const power7 = { id: 'p7', memoryBytes: 2048 * MiB, processors: 20 } as const

function processes(outcome: CaptureOutcome): CaptureProcess & { readonly asked: CaptureWork[] } {
  const asked: CaptureWork[] = []
  return { asked, run: async (work) => (asked.push(work), outcome) }
}

const killed: CaptureOutcome = {
  end: 'killed',
  ownBytes: 60 * MiB,
  usedBytes: 160 * MiB,
  phase: 'link up',
  consumer: 'receive rings',
}
const sentence =
  /Measured under a real limit of 256 MiB: the OOM killer took the capture process in phase "link up" while it allocated for receive rings, 160 MiB in use before\.$/

async function crashedWith(kernel: StartedKernel, bootMiB: number): Promise<void> {
  const bootArguments = `fadump=on fadump_reserve_mem=${bootMiB}M`
  await kernel.boot({ ...power7, bootArguments })
  await kernel.crash()
}

async function measurements(kernel: StartedKernel) {
  const rows = await kernel.events.read(undefined, 1000)
  return rows.map(({ event }) => event).filter(({ event }) => event === 'captureMeasured')
}

suite('a capture under a real memory limit', () => {
  test('C151 a kill that was predicted: firmware gets the sentence of the model, and what was measured', async () => {
    const captureProcess = processes(killed)
    await using kernel = await startKernel({ captureProcess })
    await crashedWith(kernel, 256)
    const { state, lastFailure = '' } = kernel.firmware.partition
    assert.equal(state, 'error')
    assert.match(lastFailure, /^Out of memory in phase "link up": .*first refused: receive rings/)
    assert.match(lastFailure, sentence)
    const params = { partition: 'p7' }
    const { failure } = await kernel.client.readCaptureMemory({ params })
    assert.equal(failure, lastFailure)
    const [event, ...more] = await measurements(kernel)
    assert.deepEqual(event?.detail, { limitMiB: 256, last: 'link up', ...killed })
    assert.deepEqual(more, [])
    const [work] = captureProcess.asked
    assert.equal(work?.limitMiB, 256)
    const last = work?.steps.at(-1)
    assert.deepEqual([last?.phase, last?.consumer], ['link up', 'receive rings'])
    const wanted = work?.steps.reduce((sum, { bytes }) => sum + bytes, work.reserveBytes) ?? 0
    assert.ok(wanted > 256 * MiB, 'it is asked for more than there is')
  })

  test('a capture that fits is run to its end before the dump is announced', async () => {
    const captureProcess = processes({ end: 'survived', ownBytes: 1, peakBytes: 276 * MiB })
    await using kernel = await startKernel({ captureProcess })
    await crashedWith(kernel, 320)
    assert.equal(kernel.firmware.partition.state, 'capturing')
    assert.deepEqual(
      captureProcess.asked.map(({ limitMiB, steps }) => [limitMiB, steps.at(-1)?.phase]),
      [[320, 'done']],
    )
    const [event] = await measurements(kernel)
    assert.equal(event?.detail?.['peakBytes'], 276 * MiB)
  })

  test('a kill that was not predicted counts: no dump is announced, and firmware keeps it', async () => {
    await using kernel = await startKernel({ captureProcess: processes(killed) })
    await crashedWith(kernel, 320)
    const { state, lastFailure = '', pendingDump } = kernel.firmware.partition
    assert.equal(state, 'error')
    assert.match(lastFailure, /^Measured under a real limit of 320 MiB: the OOM killer took/)
    assert.match(lastFailure, /The account says otherwise: The dump fits into 320 MiB/)
    assert.notEqual(pendingDump, undefined)
    assert.deepEqual(kernel.captures, [])
  })

  test('without a process for that limit the account alone decides', async () => {
    await using kernel = await startKernel({ captureProcess: { run: async () => undefined } })
    await crashedWith(kernel, 256)
    assert.match(kernel.firmware.partition.lastFailure ?? '', /fadump_reserve_mem=274M\)\.$/)
    assert.deepEqual(await measurements(kernel), [])
  })
})
