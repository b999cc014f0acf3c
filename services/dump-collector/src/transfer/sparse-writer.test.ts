import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import fc from 'fast-check'
import type { OpenFile } from '../store/files.ts'
import { batchBytesMax, bytesInFlightMax, pieceBytesMax, SparseWriter } from './sparse-writer.ts'

interface SlowFile extends OpenFile {
  readonly writes: { readonly position: number; readonly length: number }[]
  readonly content: Map<number, number>
  /** Lets the write under way end. */
  open(): void
  /** Bytes of writes that were begun and have not ended. */
  readonly pendingBytes: number
}

/** A file whose writes wait for `open()` when `gated`. */
function aFile({ gated = false, failAt = Infinity } = {}): SlowFile {
  const writes: { position: number; length: number }[] = []
  const content = new Map<number, number>()
  let gate = Promise.withResolvers<void>()
  let pendingBytes = 0
  return {
    writes,
    content,
    open: () => {
      gate.resolve()
      gate = Promise.withResolvers<void>()
    },
    get pendingBytes() {
      return pendingBytes
    },
    write: async (parts, position) => {
      const length = parts.reduce((sum, part) => sum + part.byteLength, 0)
      writes.push({ position, length })
      pendingBytes += length
      if (gated) await gate.promise
      if (writes.length > failAt) throw new Error('no space left')
      let at = position
      for (const part of parts) for (const byte of part) content.set(at++, byte)
      pendingBytes -= length
    },
    read: () => Promise.reject(new Error('not read')),
    resize: () => Promise.resolve(),
    sync: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

suite('the sparse writer', () => {
  test('puts every byte in its place and writes no other', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(3), fc.uint8Array({ minLength: 1, maxLength: 9 })), {
          maxLength: 30,
        }),
        async (pieces) => {
          const file = aFile()
          const writer = new SparseWriter(file, 0n)
          const expected = new Map<number, number>()
          let at = 0
          for (const [gap, bytes] of pieces) {
            at += gap
            await writer.write(BigInt(at), bytes)
            for (const byte of bytes) expected.set(at++, byte)
          }
          await writer.flush()
          assert.deepEqual([...file.content], [...expected])
        },
      ),
    ))

  test('writes neighbouring pieces together and leaves holes alone', async () => {
    const file = aFile()
    const writer = new SparseWriter(file, 0n)
    await writer.write(4096n, new Uint8Array(100))
    await writer.write(4196n, new Uint8Array(100))
    await writer.write(9000n, new Uint8Array(1))
    await writer.flush()
    assert.deepEqual(file.writes, [
      { position: 4096, length: 200 },
      { position: 9000, length: 1 },
    ])
    assert.equal(writer.end, 9001n)
  })

  test('takes no more than its bound while the disk stands still', async () => {
    const file = aFile({ gated: true })
    const writer = new SparseWriter(file, 0n)
    let taken = 0
    const filling = (async () => {
      for (let offset = 0; offset < 8 * batchBytesMax; offset += pieceBytesMax) {
        await writer.write(BigInt(offset), new Uint8Array(pieceBytesMax))
        taken += pieceBytesMax
      }
      await writer.flush()
    })()
    // Every promise that can settle has settled: the writer waits for the disk.
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(file.pendingBytes, batchBytesMax)
    assert.ok(taken <= bytesInFlightMax, `${taken} bytes were taken`)
    while (file.writes.length < 8 || file.pendingBytes > 0) {
      file.open()
      await new Promise((resolve) => setImmediate(resolve))
    }
    await filling
    assert.equal(taken, 8 * batchBytesMax)
    assert.ok(writer.bytesInFlightPeak <= bytesInFlightMax)
  })

  test('tells the error of an earlier write with the next call', async () => {
    const file = aFile({ failAt: 1 })
    const writer = new SparseWriter(file, 0n)
    await writer.write(0n, new Uint8Array(1))
    await writer.write(10n, new Uint8Array(1))
    await assert.rejects(writer.flush(), /no space left/)
    await assert.rejects(writer.flush(), /no space left/)
  })

  test('keeps no large buffer for the sake of a small piece', async () => {
    let kept: Uint8Array | undefined
    const file: OpenFile = { ...aFile(), write: async (parts) => void (kept = parts[0]) }
    const writer = new SparseWriter(file, 0n)
    await writer.write(0n, new Uint8Array(1024 * 1024).subarray(7, 8))
    await writer.flush()
    assert.equal(kept?.buffer.byteLength, 1)
  })
})
