import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { suite, test } from 'node:test'
import { flattenedMedia } from '@fadump-lab/shared/contracts'
import type { StreamedReply } from '@fadump-lab/shared/http'
import { concat, equalBytes, GiB, isZero, MiB, toAscii } from '@fadump-lab/shared/units'
import { rejectsWith } from '../testing/errno.ts'
import { startKernel, type StartedKernel } from '../testing/started-kernel.ts'
import { flattenedPieces, VmcoreFile } from '../testing/vmcore-file.ts'

const params = { partition: 'p7' }
/** More than sockets hold back, so that a stream is still open when its reader has the first chunk. */
const large = { seed: 5, populatedBytes: Number(24n * MiB) }
const small = {
  id: 'p7',
  memoryBytes: Number(1n * GiB),
  processors: 2,
  content: { seed: 5, populatedBytes: Number(5n * MiB) },
}

async function captured(profile: 'v5' | 'modern', content = small.content): Promise<StartedKernel> {
  const kernel = await startKernel()
  await kernel.boot({ ...small, profile, content })
  await kernel.crash()
  return kernel
}

async function bytesOf({ body }: Pick<StreamedReply, 'body'>): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const part of body) parts.push(part)
  return concat(parts)
}

function ranged(kernel: StartedKernel, range: string): Promise<StreamedReply> {
  return kernel.client.readVmcore({ params, headers: { range } })
}

for (const profile of ['v5', 'modern'] as const) {
  suite(`a vmcore of ${profile} on the wire`, () => {
    test('the manifest has the digest of every piece, and one over all', async () => {
      await using kernel = await captured(profile)
      const vmcore = await VmcoreFile.read(kernel)
      const text = toAscii(await bytesOf(await kernel.client.readVmcoreManifest({ params })))
      const [head, ...rows] = text
        .trimEnd()
        .split('\n')
        .map((row) => JSON.parse(row) as Record<string, unknown>)
      const trailer = rows.pop()
      assert.equal(head?.['format'], 'vmcore-manifest-1')
      const digest = createHash('sha256')
      for (const row of rows) {
        const [offset, length] = [Number(row['offset']), Number(row['length'])]
        assert.ok(length <= 1024 * 1024)
        const sha256 = createHash('sha256')
          .update(vmcore.bytes(BigInt(offset), length))
          .digest('hex')
        assert.equal(row['sha256'], sha256)
        digest.update(`${offset} ${length} ${sha256}\n`)
      }
      assert.deepEqual(trailer, { entries: rows.length, digest: digest.digest('hex') })
      const listed = rows.reduce((sum, row) => sum + Number(row['length']), 0)
      assert.equal(listed, vmcore.populatedBytes)
    })

    test('only what was populated is sent: content and kernel image', async () => {
      await using kernel = await captured(profile)
      const { populatedBytes } = await VmcoreFile.read(kernel)
      const { pages } = await kernel.store.usage('server-1')
      assert.ok(populatedBytes >= Number(5n * MiB))
      assert.ok(populatedBytes <= pages * 65_536, `${populatedBytes} bytes of ${pages} pages`)
    })

    test('the flattened stream can begin anywhere', async () => {
      await using kernel = await captured(profile)
      const whole = await VmcoreFile.read(kernel)
      const middle = whole.pieces[Math.floor(whole.pieces.length / 2)]
      assert.ok(middle !== undefined)
      const from = Number(middle.offset) + 777
      const pieces = await flattenedPieces(kernel, from)
      assert.equal(pieces[0]?.offset, BigInt(from))
      for (const { offset, bytes } of pieces) {
        assert.ok(equalBytes(bytes, whole.bytes(offset, bytes.byteLength)))
      }
      const rest = whole.pieces.filter(({ offset }) => offset > middle.offset)
      const expected = rest.reduce((sum, { bytes }) => sum + bytes.byteLength, 0)
      const sent = pieces.reduce((sum, { bytes }) => sum + bytes.byteLength, 0)
      assert.equal(sent, expected + middle.bytes.byteLength - 777)
    })

    test('a range of the plain file is those bytes, holes as zeros', async () => {
      await using kernel = await captured(profile)
      const whole = await VmcoreFile.read(kernel)
      const load = whole.loads[0]?.offset ?? 0n
      // Across the end of the kernel image into the hole behind it, and across both sides of a piece.
      for (const [start, length] of [
        [0n, 5000],
        [load + 0x7_fff0n, 0x4_0001],
        [load + 0x3f_ff00n, 0x30_0000],
      ] as const) {
        const reply = await ranged(kernel, `bytes=${start}-${start + BigInt(length) - 1n}`)
        assert.equal(reply.status, 206)
        assert.ok(equalBytes(await bytesOf(reply), whole.bytes(start, length)))
      }
      const hole = await bytesOf(
        await ranged(kernel, `bytes=${load + 0x1000_0000n}-${load + 0x1000_ffffn}`),
      )
      assert.equal(hole.byteLength, 0x1_0000)
      assert.ok(isZero(hole))
    })

    test('sizes: Content-Range names the whole, a range beyond it is refused', async () => {
      await using kernel = await captured(profile)
      const reply = await ranged(kernel, 'bytes=0-0')
      const size = /^bytes 0-0\/(\d+)$/.exec(reply.headers.get('content-range') ?? '')?.[1] ?? ''
      await bytesOf(reply)
      const last = (await VmcoreFile.read(kernel)).loads.at(-1)
      const end = (last?.offset ?? 0n) + (last?.memorySize ?? 0n)
      assert.equal(size, `${end}`)
      await assert.rejects(ranged(kernel, `bytes=${size}-`), { slug: 'range-not-satisfiable' })
    })

    test('C115 a stream that is open when the dump is released breaks off instead of sending other bytes', async () => {
      await using kernel = await captured(profile, large)
      const headers = { accept: flattenedMedia }
      const { body } = await kernel.client.readVmcore({ params, headers })
      const chunks = body[Symbol.asyncIterator]()
      await chunks.next()
      await kernel.write('kernel/fadump_release_mem', '1')
      const drained = async () => {
        for (let chunk = await chunks.next(); chunk.done !== true;) chunk = await chunks.next()
      }
      await assert.rejects(drained())
      await rejectsWith('ENOENT', kernel.client.readVmcore({ params, headers }))
    })

    test('a partition that is restarted during a stream ends it too', async () => {
      await using kernel = await captured(profile)
      const { body } = await kernel.client.readVmcore({ params })
      const chunks = body[Symbol.asyncIterator]()
      await chunks.next()
      await kernel.firmware.restartCapture()
      const drained = async () => {
        for (let chunk = await chunks.next(); chunk.done !== true;) chunk = await chunks.next()
      }
      await assert.rejects(drained())
    })
  })
}

suite('what there is to read', () => {
  test('C108 a first kernel has no /proc/vmcore, and nobody may write one', async () => {
    await using kernel = await startKernel()
    await kernel.boot(small)
    await rejectsWith('ENOENT', kernel.client.readVmcore({ params }))
    await rejectsWith('ENOENT', kernel.client.readVmcoreManifest({ params }))
    await rejectsWith('ENOENT', kernel.client.readProc({ params: { ...params, file: 'kcore' } }))
  })

  test('/proc/cmdline and /proc/version are the kernel’s', async () => {
    await using kernel = await startKernel()
    await kernel.boot({ ...small, bootArguments: 'fadump=on quiet' })
    const read = (file: string) => kernel.client.readProc({ params: { ...params, file } })
    assert.equal(await read('cmdline'), 'fadump=on quiet\n')
    assert.match(await read('version'), /^Linux version 3\.4\.0-fadump-lab /)
  })

  test('a page of zeros inside populated memory is left out', async () => {
    await using kernel = await captured('v5')
    const pieces = await flattenedPieces(kernel)
    for (const { bytes } of pieces.slice(1)) {
      for (let at = 0; at + 131_072 <= bytes.byteLength; at += 65_536) {
        assert.ok(!isZero(bytes.subarray(at, at + 131_072)))
      }
    }
  })
})
