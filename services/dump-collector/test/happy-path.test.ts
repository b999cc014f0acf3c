import assert from 'node:assert/strict'
import { readdir, readFile, stat } from 'node:fs/promises'
import test, { suite } from 'node:test'
import { openRoom, readJson } from './collector-room.ts'
import { aVmcore, manifestOf, startFakeKernel, wholeFile } from './fake-kernel.ts'

suite('a dump is collected', () => {
  test('byte for byte, verified, stored under its name, and only then released', async () => {
    const vmcore = aVmcore()
    await using room = await openRoom()
    await using kernel = await startFakeKernel(vmcore)
    await using collector = await room.startCollector()
    await room.announce(kernel.job)
    await room.idle()
    const dump = await collector.client.getDump({ params: { dump: 'p1-1' } })

    assert.deepEqual(await readdir(room.path('p1')), ['p1-1'])
    assert.deepEqual(await readdir(room.path('p1', 'p1-1')), [
      'dump.json',
      'manifest.json',
      'manifest.ndjson',
      'vmcore',
    ])
    assert.deepEqual(
      new Uint8Array(await readFile(room.path('p1', 'p1-1', 'vmcore'))),
      wholeFile(vmcore),
    )
    assert.equal(
      await readFile(room.path('p1', 'p1-1', 'manifest.ndjson'), 'utf8'),
      manifestOf(vmcore),
    )
    assert.deepEqual(kernel.requests, [
      'manifest',
      'vmcore 0',
      'release kernel/fadump_release_mem=1',
    ])
    assert.equal(dump.status, 'complete')
    assert.equal(dump.step, 'complete')
    assert.equal(dump.sizeBytes, 4_194_304n)
    assert.equal(dump.transferredBytes, 393_216n)
    assert.equal(dump.attempts, 1)
    assert.deepEqual(dump.missing, [])
    assert.equal(dump.failure, undefined)
    assert.equal(dump.correlationId, 'crash-1')
    const { blocks } = await stat(room.path('p1', 'p1-1', 'vmcore'))
    assert.equal(dump.storedBytes, BigInt(blocks * 512))
    assert.deepEqual(await room.story('p1-1'), [
      'claimed>claimed',
      'transfer>transferring',
      'transferred>verifying',
      'verified>storing',
      'stored>releasing',
      'released>complete',
    ])
  })

  test('with a summary for people beside it', async () => {
    await using room = await openRoom()
    await using kernel = await startFakeKernel(aVmcore())
    await using collector = await room.startCollector()
    await room.announce(kernel.job)
    await room.idle()
    const dump = await collector.client.getDump({ params: { dump: 'p1-1' } })
    assert.deepEqual(await readJson(room.path('p1', 'p1-1', 'manifest.json')), {
      dump: 'p1-1',
      partition: 'p1',
      frame: 'server-1',
      status: 'complete',
      sizeBytes: 4_194_304,
      entries: 6,
      populatedBytes: 393_216,
      storedBytes: Number(dump.storedBytes),
      digest: dump.digest,
      missing: [],
      verifiedAt: dump.completedAt,
      correlationId: 'crash-1',
    })
  })
})
