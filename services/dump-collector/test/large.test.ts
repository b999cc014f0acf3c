import assert from 'node:assert/strict'
import { stat } from 'node:fs/promises'
import test, { suite } from 'node:test'
import { eventually } from '../../../test/support/eventually.ts'
import { nodeFiles, type Files } from '../src/store/files.ts'
import { bytesInFlightMax } from '../src/transfer/sparse-writer.ts'
import { consoleHeaders, openRoom } from './collector-room.ts'
import { aVmcore, flattened, partBytes, startFakeKernel, type SparseVmcore } from './fake-kernel.ts'

const tebibyte = 2 ** 40
const populatedPages = 1024

/** 64 MiB in pages that lie 1 GiB apart: the last one ends with the file. */
function aTebibyte(): SparseVmcore {
  const [page] = aVmcore({ pages: [0] }).parts
  const bytes = page?.bytes ?? new Uint8Array()
  const parts = Array.from({ length: populatedPages }, (_, index) => ({
    offset: (index + 1) * 2 ** 30 - partBytes,
    bytes,
  }))
  return { sizeBytes: tebibyte, parts }
}

suite('a vmcore of 1 TiB of which 64 MiB are populated', () => {
  test('is collected, and takes on disk what is populated plus at most one per cent', async () => {
    await using room = await openRoom()
    await using kernel = await startFakeKernel(aTebibyte())
    await using collector = await room.startCollector()
    await room.announce(kernel.job)
    await room.idle()
    const dump = await collector.client.getDump({ params: { dump: 'p1-1' } })
    assert.deepEqual([dump.status, dump.released], ['complete', true])
    assert.equal(dump.sizeBytes, 2n ** 40n)
    assert.equal(dump.transferredBytes, 2n ** 26n)
    const { size, blocks } = await stat(room.path('p1', 'p1-1', 'vmcore'))
    assert.equal(size, tebibyte)
    assert.ok(blocks * 512 <= 2 ** 26 * 1.01, `${blocks * 512} bytes on disk`)
    assert.equal(dump.storedBytes, BigInt(blocks * 512))
    const tail = await fetch(`${collector.url}/dumps/p1-1/vmcore`, {
      headers: { ...consoleHeaders, range: 'bytes=-65536' },
    })
    assert.deepEqual(new Uint8Array(await tail.arrayBuffer()), aTebibyte().parts[0]?.bytes)
  })

  test('is not taken in faster than the disk writes', async () => {
    const vmcore = aTebibyte()
    // What the two ends of a loopback connection and their HTTP libraries may hold.
    const connectionBytesMax = 16 * 1024 * 1024
    const gate = Promise.withResolvers<void>()
    let writtenBytes = 0
    let sentBytes = 0
    const files: Files = {
      ...nodeFiles,
      open: async (path, mode) => {
        const file = await nodeFiles.open(path, mode)
        if (!path.endsWith('/vmcore')) return file
        return {
          ...file,
          write: async (parts, position) => {
            await gate.promise
            await file.write(parts, position)
            writtenBytes += parts.reduce((sum, part) => sum + part.byteLength, 0)
          },
          [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
        }
      },
    }
    await using room = await openRoom()
    await using kernel = await startFakeKernel(vmcore)
    kernel.behave({
      vmcore: function* (from) {
        for (const chunk of flattened(vmcore, from)) {
          sentBytes += chunk.byteLength
          yield chunk
        }
      },
    })
    await using collector = await room.startCollector({ files })
    await room.announce(kernel.job)
    let seen = -1
    let unchanged = 0
    await eventually('the kernel has to wait', () => {
      unchanged = sentBytes > 0 && sentBytes === seen ? unchanged + 1 : 0
      seen = sentBytes
      return unchanged === 20
    })
    assert.equal(writtenBytes, 0)
    assert.ok(sentBytes <= bytesInFlightMax + connectionBytesMax, `${sentBytes} bytes were sent`)
    gate.resolve()
    await room.idle()
    const dump = await collector.client.getDump({ params: { dump: 'p1-1' } })
    assert.equal(dump.status, 'complete')
    assert.equal(writtenBytes, 2 ** 26)
  })
})
