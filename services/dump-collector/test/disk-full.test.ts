import assert from 'node:assert/strict'
import { readdir, readFile, stat } from 'node:fs/promises'
import test, { suite } from 'node:test'
import { eventually } from '../../../test/support/eventually.ts'
import { nodeFiles, type Files } from '../src/store/files.ts'
import { openRoom, settledDump } from './collector-room.ts'
import { aVmcore, partBytes, startFakeKernel, wholeFile } from './fake-kernel.ts'
import { fullDisk } from './faulty-files.ts'

const vmcore = aVmcore({ pages: [...Array(8).keys()] })
const settings = { windowBytes: 2 * partBytes }

suite('a disk that takes nothing at all', () => {
  test('leaves an event that says why there is no dump', async () => {
    const files: Files = {
      ...nodeFiles,
      makeDirectory: async (path) => {
        if (path.endsWith('.incomplete')) throw new Error('EROFS: read-only file system')
        await nodeFiles.makeDirectory(path)
      },
    }
    await using room = await openRoom()
    await using kernel = await startFakeKernel(vmcore)
    await using collector = await room.startCollector({ files })
    await room.announce(kernel.job)
    await room.idle()
    await eventually('the failure is told', async () => (await room.events()).length > 0)
    const [event] = await room.events()
    assert.deepEqual([event?.subject, event?.event, event?.to], ['p1-1', 'fail', 'failed'])
    assert.equal(event?.detail?.['failure'], 'EROFS: read-only file system')
    assert.deepEqual(await collector.client.listDumps({}), [])
    assert.deepEqual(kernel.requests, [])
  })
})

suite('a disk without room', () => {
  test('is named while the job waits, and the transfer goes on where it stopped when there is room', async () => {
    const disk = fullDisk(nodeFiles, 5 * partBytes)
    await using room = await openRoom()
    await using kernel = await startFakeKernel(vmcore)
    await using collector = await room.startCollector({ files: disk.files, settings })
    await room.announce(kernel.job)
    await room.paused()
    const waiting = await collector.client.getDump({ params: { dump: 'p1-1' } })
    assert.equal(waiting.status, 'capturing')
    assert.match(waiting.failure ?? '', /ENOSPC: no space left on device/)
    assert.deepEqual(await readdir(room.path('p1')), ['p1-1.incomplete'])
    assert.ok((await room.story('p1-1')).includes('interrupted>transferring'))
    const { size, blocks } = await stat(room.path('p1', 'p1-1.incomplete', 'vmcore'))
    assert.deepEqual([size, blocks * 512], [vmcore.sizeBytes, 5 * partBytes])
    disk.free()
    await room.idle()
    const dump = await collector.client.getDump({ params: { dump: 'p1-1' } })
    assert.deepEqual([dump.status, dump.attempts, dump.failure], ['complete', 2, undefined])
    assert.deepEqual(kernel.froms, [0, 5 * partBytes])
    assert.deepEqual(
      new Uint8Array(await readFile(room.path('p1', 'p1-1', 'vmcore'))),
      wholeFile(vmcore),
    )
  })

  test('that stays full ends in a failed dump; memory is kept, and so is what was received', async () => {
    const disk = fullDisk(nodeFiles, 5 * partBytes)
    await using room = await openRoom()
    await using kernel = await startFakeKernel(vmcore)
    await using collector = await room.startCollector({ files: disk.files, settings })
    await room.announce(kernel.job)
    await room.idle()
    const failed = await settledDump(collector, 'p1-1')
    assert.deepEqual([failed.status, failed.step, failed.released], ['failed', 'failed', false])
    assert.equal(failed.failure, 'ENOSPC: no space left on device, write')
    assert.equal(failed.attempts, 40)
    assert.ok(!kernel.requests.some((request) => request.startsWith('release')))
    assert.deepEqual(await readdir(room.path('p1')), ['p1-1.incomplete'])

    disk.free()
    await room.announce(kernel.job)
    await room.idle()
    const dump = await collector.client.getDump({ params: { dump: 'p1-1' } })
    assert.deepEqual([dump.status, dump.released], ['complete', true])
    assert.equal(kernel.froms.at(-1), 5 * partBytes)
  })
})
