/** What readers and threads get of a capture kernel's memory when there is little of it. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { CaptureEnvironment } from '@fadump-lab/shared/contracts'
import { GiB, MiB } from '@fadump-lab/shared/units'
import { rejectsWith } from '../testing/errno.ts'
import { startKernel, type StartedKernel } from '../testing/started-kernel.ts'

const params = { partition: 'p7' }
/** A copy over ssh and one port of virtual Ethernet: 145 MiB suffice. */
const ssh: CaptureEnvironment = { card: 'ibmveth' }

/** More than sockets hold back, so that a stream is still open when its reader has the first chunk. */
const content = { seed: 5, populatedBytes: Number(24n * MiB) }

async function captured(
  bootMemoryMiB: number,
  capture: CaptureEnvironment = ssh,
): Promise<StartedKernel> {
  const kernel = await startKernel()
  await kernel.boot({
    id: 'p7',
    memoryBytes: Number(1n * GiB),
    processors: 4,
    profile: 'v5',
    content,
    capture,
    bootArguments: `fadump=on fadump_reserve_mem=${bootMemoryMiB}M`,
  })
  await kernel.crash()
  return kernel
}

/** A reader that has the first bytes and takes no more; to be ended. */
async function reader(kernel: StartedKernel): Promise<AsyncIterator<Uint8Array>> {
  const { body } = await kernel.client.readVmcore({ params })
  const chunks = body[Symbol.asyncIterator]()
  const { done } = await chunks.next()
  assert.notEqual(done, true)
  return chunks
}

const windowsOf = async (kernel: StartedKernel) =>
  (await kernel.client.readCaptureMemory({ params })).windows

suite('readers of a dump in little memory', () => {
  test('the windows of a second reader do not fit: ENOMEM with both figures, and the first one reads on', async () => {
    await using kernel = await captured(146)
    const first = await reader(kernel)
    assert.equal((await windowsOf(kernel)).inFlightBytes, Number(4n * MiB))
    await rejectsWith(
      'ENOMEM',
      kernel.client.readVmcore({ params }),
      /another stream needs 4194304 bytes of windows, streams hold 4194304 of the \d+ bytes that memory leaves them/,
    )
    assert.notEqual((await first.next()).done, true)
    await first.return?.()
  })

  test('when the first reader has left, the next one has its room', async () => {
    await using kernel = await captured(146)
    await (await reader(kernel)).return?.()
    for (let turn = 0; (await windowsOf(kernel)).inFlightBytes > 0; turn += 1) {
      assert.ok(turn < 1000, 'the windows of a reader that has left are held')
    }
    await (await reader(kernel)).return?.()
    assert.equal((await windowsOf(kernel)).peakBytes, Number(4n * MiB))
  })

  test('in the boot memory of 2012 there is room for several', async () => {
    await using kernel = await captured(320)
    const readers = await Promise.all([reader(kernel), reader(kernel), reader(kernel)])
    assert.equal((await windowsOf(kernel)).inFlightBytes, 3 * Number(4n * MiB))
    for (const each of readers) await each.return?.()
  })
})

suite('threads of makedumpfile in little memory', () => {
  /** The log, and the warnings that everybody is told. */
  async function told(kernel: StartedKernel) {
    const log = await kernel.client.readProc({ params: { ...params, file: 'kmsg' } })
    const rows = await kernel.events.read(undefined, 1000)
    const warnings = rows
      .map(({ event }) => event)
      .filter(({ event }) => event === 'captureWarning')
    const { owners } = await kernel.client.readCaptureMemory({ params })
    const pages = owners.find(({ owner }) => owner === 'collector threads')?.pages ?? 0
    return { log, warnings, pages }
  }

  test('fewer are started when their buffers do not fit: the dump is presented, log and event say how many', async () => {
    await using kernel = await captured(160, { ...ssh, threads: 64 })
    assert.equal(kernel.firmware.partition.state, 'capturing')
    const { log, warnings, pages } = await told(kernel)
    const [, started] = /makedumpfile starts (\d+) of 64 threads/.exec(log) ?? []
    assert.ok(Number(started) > 0 && Number(started) < 64, log)
    assert.match(String(warnings[0]?.detail?.['kinds']), /threads reduced/)
    assert.match(String(warnings[0]?.detail?.['explanation']), /makedumpfile starts \d+ of 64/)
    // makedumpfile.h: five buffers and three more pages a thread, and 233 KiB (openSUSE/kdump, calibrate.cc).
    const each = 8 * 64 + 233
    assert.ok(Math.abs(pages * 64 - Number(started) * each) < each, `${pages} pages`)
  })

  test('all are started where there is room, without a word', async () => {
    await using kernel = await captured(320, { ...ssh, threads: 64 })
    const { log, warnings } = await told(kernel)
    assert.doesNotMatch(log, /threads/)
    assert.deepEqual(warnings, [])
  })
})
