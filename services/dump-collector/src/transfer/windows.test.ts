import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import type { OpenFile } from '../store/files.ts'
import { SparseWriter } from './sparse-writer.ts'
import { Windows } from './windows.ts'

const pieceBytes = 1024
const windowBytes = 8 * pieceBytes
const pieces = 64

/** A file of which a power cut leaves only what was synced; a sync takes a while, as on a disk. */
function fileUnderPowerCuts(): { readonly file: OpenFile; readonly durableBytes: () => number } {
  const written = new Set<number>()
  const durable = new Set<number>()
  const file: OpenFile = {
    write: async (parts, position) => {
      const length = parts.reduce((sum, part) => sum + part.byteLength, 0)
      for (let at = position; at < position + length; at += pieceBytes) written.add(at)
    },
    sync: async () => {
      const asked = [...written]
      await new Promise(setImmediate)
      for (const at of asked) durable.add(at)
    },
    read: () => Promise.resolve(0),
    resize: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
  const durableBytes = () => {
    let end = 0
    while (durable.has(end)) end += pieceBytes
    return end
  }
  return { file, durableBytes }
}

suite('checkpoints of a transfer', () => {
  test('a power cut at any checkpoint finds every byte that it vouches for on the disk', async () => {
    const { file, durableBytes } = fileUnderPowerCuts()
    const writer = new SparseWriter(file, 0n)
    const vouched: number[] = []
    const windows = new Windows(file, writer, {
      windowBytes,
      onWindow: (offset) => async () => {
        assert.ok(offset <= BigInt(durableBytes()), `${offset} is vouched for`)
        vouched.push(Number(offset))
      },
    })
    for (let index = 0; index < pieces; index++) {
      await windows.write(BigInt(index * pieceBytes), new Uint8Array(pieceBytes))
      const last = vouched.at(-1) ?? 0
      assert.ok((index + 1) * pieceBytes - last <= windowBytes, 'at most a window is sent again')
    }
    await windows.finish()
    assert.equal(vouched.length, (2 * pieces * pieceBytes) / windowBytes)
    assert.equal(durableBytes(), pieces * pieceBytes)
  })

  test('pieces of any size: never more than a window is written that no checkpoint vouches for', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 3 * windowBytes }), { minLength: 1, maxLength: 40 }),
        async (lengths) => {
          let vouched = 0
          let unvouchedPeak = 0
          const { file } = fileUnderPowerCuts()
          const watched: OpenFile = {
            ...file,
            write: (parts, position) => {
              const end = parts.reduce((sum, part) => sum + part.byteLength, position)
              unvouchedPeak = Math.max(unvouchedPeak, end - vouched)
              return file.write(parts, position)
            },
          }
          let received = 0
          const windows = new Windows(watched, new SparseWriter(watched, 0n), {
            windowBytes,
            onBytes: (length) => void (received += length),
            onWindow: (offset) => {
              assert.equal(Number(offset), received, 'it counts just what lies before it')
              return async () => void (vouched = Number(offset))
            },
          })
          let end = 0
          for (const length of lengths) {
            await windows.write(BigInt(end), new Uint8Array(length))
            end += length
          }
          await windows.finish()
          assert.equal(received, end)
          assert.ok(end - vouched <= windowBytes, `${end - vouched} bytes at the end`)
          assert.ok(unvouchedPeak <= windowBytes, `${unvouchedPeak} bytes`)
        },
      ),
    )
  })

  test('a checkpoint whose sync fails is never told', async () => {
    const { file } = fileUnderPowerCuts()
    const broken: OpenFile = { ...file, sync: () => Promise.reject(new Error('EIO: i/o error')) }
    const writer = new SparseWriter(broken, 0n)
    const windows = new Windows(broken, writer, {
      windowBytes,
      onWindow: () => () => Promise.reject(new Error('the checkpoint was told')),
    })
    await windows.write(0n, new Uint8Array(windowBytes / 2))
    await assert.rejects(windows.finish(), { message: 'EIO: i/o error' })
  })
})
