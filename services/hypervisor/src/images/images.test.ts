import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { elfMedia, flattenedMedia, imageSpace, isProblem } from '@fadump-lab/shared/contracts'
import {
  concat,
  fromAscii,
  fromBase64,
  realAddress,
  toAscii,
  toHex,
} from '@fadump-lab/shared/units'
import { aCore, flattened, note, vmcoreinfoText, type CoreRecipe } from '../testing/cores.ts'
import { aStartedGuest } from '../testing/guest.ts'
import { startHypervisor, type StartedHypervisor } from '../testing/started-hypervisor.ts'

interface Upload {
  readonly id?: string
  readonly profile?: string
  readonly media?: string
  readonly encoding?: string
}

const upload = (host: StartedHypervisor, body: Uint8Array, options: Upload = {}) =>
  host.client.createImage({
    query: { id: options.id ?? 'i1', profile: options.profile },
    headers: {
      'content-type': options.media ?? elfMedia,
      ...(options.encoding === undefined ? {} : { 'content-encoding': options.encoding }),
    },
    body,
  })

const memoryOf = (host: StartedHypervisor, address: bigint, length: number) =>
  host.store.read(imageSpace('server-1', 'i1'), realAddress(address), length)

/** Bytes that depend on their place. */
const ramp = (length: number, first = 1) =>
  new Uint8Array(length).map((_, index) => ((first + index) % 251) + 1)

suite('a memory image', () => {
  test('says what the vmcore held', async () => {
    await using host = await startHypervisor()
    const loads = [
      { physical: 0n, bytes: ramp(70_000) },
      { physical: 0x2801_02a8n, bytes: ramp(3 * 65_536) },
    ]
    assert.deepEqual(await upload(host, aCore({ loads, cpus: [[1n], [2n]] })), {
      id: 'i1',
      frame: 'server-1',
      byteOrder: 'little',
      pageSize: 65_536,
      osRelease: '6.10.0-test',
      memoryBytes: 0x2804_02a8n,
      // 70,000 bytes touch two pages, 196,608 from the middle of a page touch four.
      populatedBytes: 6n * 65_536n,
      loads: [
        { address: 0n, length: 70_000n },
        { address: 0x2801_02a8n, length: 196_608n },
      ],
      crashingCpu: 0,
      cpus: 2,
    })
    assert.deepEqual(
      (await host.client.listImages({})).map(({ id }) => id),
      ['i1'],
    )
  })

  test('holds every byte at its address, also where PT_LOADs share a page', async () => {
    await using host = await startHypervisor()
    const [low, high] = [ramp(0x1_02a8), ramp(200_000, 99)]
    const loads = [
      { physical: 0n, bytes: low },
      { physical: 0x1_02a8n, bytes: high, memorySize: 300_000n },
    ]
    await upload(host, aCore({ loads }))
    assert.deepEqual(await memoryOf(host, 0n, 0x1_02a8), low)
    assert.deepEqual(await memoryOf(host, 0x1_02a8n, 200_000), high)
    assert.deepEqual(await memoryOf(host, 0x1_02a8n + 200_000n, 100_000), new Uint8Array(100_000))
  })

  test('of zeros costs no page', async () => {
    await using host = await startHypervisor()
    const zeros = { physical: 0n, bytes: new Uint8Array(5 * 1024 * 1024), memorySize: 2n ** 40n }
    const image = await upload(host, aCore({ loads: [zeros] }))
    assert.equal(image.populatedBytes, 0n)
    assert.equal(image.memoryBytes, 2n ** 40n)
  })

  test('gives registers and VMCOREINFO for a kernel to boot from', async () => {
    await using host = await startHypervisor()
    const registers = Array.from(
      { length: 48 },
      (_, index) => 0xc000_0000_0000_0000n + BigInt(index),
    )
    await upload(host, aCore({ cpus: [[5n], registers] }))
    const notes = await host.client.getImageNotes({ params: { image: 'i1' } })
    assert.deepEqual(notes.cpus, [
      { cpu: 0, registers: [5n, ...Array.from({ length: 47 }, () => 0n)] },
      { cpu: 1, registers },
    ])
    assert.equal(notes.crashingCpu, 1)
    assert.equal(toAscii(fromBase64(notes.vmcoreinfo)), vmcoreinfoText)
    assert.equal(notes.pageSize, 65_536)
    assert.equal(notes.byteOrder, 'little')
  })

  test('of a big-endian kernel with 4 KiB pages is one as well', async () => {
    await using host = await startHypervisor()
    const vmcoreinfo = 'OSRELEASE=3.4.0\nPAGESIZE=4096\n'
    const core = aCore({ order: 'big', vmcoreinfo, cpus: [[0x1122n]] })
    const image = await upload(host, core, { profile: 'v5' })
    assert.equal(image.byteOrder, 'big')
    assert.equal(image.pageSize, 4096)
    const notes = await host.client.getImageNotes({ params: { image: 'i1' } })
    assert.equal(notes.cpus[0]?.registers[0], 0x1122n)
  })

  for (const [encoding, compress] of [
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
  ] as const) {
    test(`may come compressed with ${encoding}`, async () => {
      await using host = await startHypervisor()
      const bytes = ramp(3_000_000)
      const core = aCore({ loads: [{ physical: 0x3000n, bytes }] })
      await upload(host, new Uint8Array(compress(core)), { encoding })
      assert.deepEqual(await memoryOf(host, 0x3000n, 1_000_000), bytes.slice(0, 1_000_000))
    })
  }

  test('may come as a flattened stream in any order, later records winning', async () => {
    await using host = await startHypervisor()
    const bytes = ramp(200_000)
    const core = aCore({ loads: [{ physical: 0x1000n, bytes }] })
    const dataAt = core.byteLength - bytes.byteLength
    const wrong = core.slice()
    wrong.fill(0xee, dataAt + 100_000)
    const stream = concat([
      flattened(wrong, [[dataAt + 100_000, wrong.byteLength]]).slice(0, -16),
      flattened(core, [
        [dataAt + 50_000, core.byteLength],
        [0, dataAt + 60_000],
      ]).slice(4096),
    ])
    const image = await upload(host, stream, { media: flattenedMedia })
    assert.equal(image.memoryBytes, 0x1000n + 200_000n)
    assert.deepEqual(await memoryOf(host, 0x1000n, 200_000), bytes)
  })

  test('zeros that come later in a flattened stream take bytes back', async () => {
    await using host = await startHypervisor()
    const bytes = new Uint8Array(2 * 65_536)
    const core = aCore({ loads: [{ physical: 0n, bytes }] })
    const dataAt = core.byteLength - bytes.byteLength
    const wrong = core.slice()
    wrong.fill(0xee, dataAt)
    const stream = concat([
      flattened(wrong, [[0, wrong.byteLength]]).slice(0, -16),
      flattened(core, [[dataAt, core.byteLength]]).slice(4096),
    ])
    assert.equal((await upload(host, stream, { media: flattenedMedia })).populatedBytes, 0n)
  })
})

suite('where the kernel keeps its VMCOREINFO note', () => {
  const kernelsNote = note('VMCOREINFO', 0, { desc: fromAscii(vmcoreinfoText), isLittle: true })
  const memoryWith = (places: readonly (readonly [number, Uint8Array])[]) => {
    const bytes = new Uint8Array(3 * 1024 * 1024)
    for (const [address, part] of places) bytes.set(part, address)
    return bytes
  }
  const addressIn = async (bytes: Uint8Array, recipe: CoreRecipe = {}) => {
    await using host = await startHypervisor()
    await upload(host, aCore({ ...recipe, loads: [{ physical: 0n, bytes }] }))
    const notes = await host.client.getImageNotes({ params: { image: 'i1' } })
    return notes.vmcoreinfoAddress
  }

  test('a note at the start of a kernel page is found', async () => {
    assert.equal(await addressIn(memoryWith([[0x16_0000, kernelsNote]])), 0x16_0000n)
  })

  test('one on a page is preferred to one elsewhere, whichever comes first', async () => {
    const bytes = memoryWith([
      [0x1_2344, kernelsNote],
      [0x16_0000, kernelsNote],
    ])
    assert.equal(await addressIn(bytes), 0x16_0000n)
  })

  test('a static note on no page, as in Linux 3.4, is found where there is no other', async () => {
    assert.equal(await addressIn(memoryWith([[0x1_2344, kernelsNote]])), 0x1_2344n)
  })

  test('a note of other text is not it', async () => {
    const other = kernelsNote.slice()
    other[40] = 0x58
    assert.equal(await addressIn(memoryWith([[0x16_0000, other]])), undefined)
  })

  test('a page of a 4 KiB kernel need not be one of 64 KiB', async () => {
    const vmcoreinfo = vmcoreinfoText.replace('65536', '4096')
    const part = note('VMCOREINFO', 0, { desc: fromAscii(vmcoreinfo), isLittle: true })
    const bytes = memoryWith([
      [0x804, part],
      [0x3000, part],
    ])
    assert.equal(await addressIn(bytes, { vmcoreinfo }), 0x3000n)
  })
})

suite('the crashing CPU is the one whose registers firmware cannot know', () => {
  const withRegister = (index: number) =>
    Array.from({ length: 48 }, (_, at) => (at === index ? 1n : 0n))
  const cases: readonly [string, number, number][] = [
    ['orig_gpr3', 34, 1],
    ['softe', 39, 1],
    ['trap', 40, 1],
    ['result', 43, 1],
    ['ppr', 44, 1],
    ['amr', 46, 1],
    ['nip, which firmware saves as well', 32, 0],
    ['dsisr, which firmware saves as well', 42, 0],
  ]
  for (const [name, index, crashingCpu] of cases) {
    test(`CPU 1 with ${name} → CPU ${crashingCpu}`, async () => {
      await using host = await startHypervisor()
      const image = await upload(host, aCore({ cpus: [[9n], withRegister(index)] }))
      assert.equal(image.crashingCpu, crashingCpu)
    })
  }
})

suite('a partition from an image', () => {
  const body = { memoryBytes: 1024 * 1024, profile: 'modern', image: 'i1' } as const
  const bytes = ramp(100_000)

  test('starts with its memory, at every boot', async () => {
    await using host = await startHypervisor()
    await upload(host, aCore({ loads: [{ physical: 0x2000n, bytes }] }))
    const guest = await aStartedGuest(host, body)
    assert.deepEqual(await guest.read(0x2000n, bytes.byteLength), bytes)
    await guest.write(0x2000n, new Uint8Array(1000))
    await guest.write(0xf_0000n, new Uint8Array([1]))
    await host.client.restartPartition({ params: { partition: guest.id } })
    assert.deepEqual(await guest.read(0x2000n, bytes.byteLength), bytes)
    assert.equal(toHex(await guest.read(0xf_0000n, 1)), '00')
  })

  const refused: readonly [string, Readonly<Record<string, unknown>>, RegExp][] = [
    [
      'with less memory than the image',
      { memoryBytes: 65_536 },
      /image i1 needs .* memoryBytes is 64 KiB/,
    ],
    ['of the other byte order', { profile: 'v5' }, /image i1 is little-endian, profile v5 is big/],
    ['on another frame', { frame: 'server-2' }, /image i1 is on frame server-1/],
  ]
  for (const [what, change, detail] of refused) {
    test(`${what} is refused: invalid-configuration`, async () => {
      await using host = await startHypervisor()
      await host.client.createFrame({
        body: { id: 'server-2', memoryBytes: 2 ** 30, processors: 1 },
      })
      await upload(host, aCore({ loads: [{ physical: 0x2000n, bytes }] }))
      const create = host.client.createPartition({
        body: { id: 'p1', processors: 1, ...body, ...change },
      })
      await assert.rejects(create, (error) => {
        assert.ok(isProblem(error, 'invalid-configuration'))
        assert.match(error.message, detail)
        return true
      })
    })
  }

  test('keeps the image from being deleted; without users it goes, and its pages with it', async () => {
    await using host = await startHypervisor()
    const before = await host.store.usage('server-1')
    await upload(host, aCore({ loads: [{ physical: 0x2000n, bytes }] }))
    await host.client.createPartition({ body: { id: 'p1', processors: 1, ...body } })
    await assert.rejects(host.client.deleteImage({ params: { image: 'i1' } }), { slug: 'in-use' })
    await host.client.deletePartition({ params: { partition: 'p1' } })
    await host.client.deleteImage({ params: { image: 'i1' } })
    assert.deepEqual(await host.store.usage('server-1'), before)
    const gone = { params: { image: 'i1' } }
    await assert.rejects(host.client.getImage(gone), { slug: 'not-found' })
    await assert.rejects(host.client.getImageNotes(gone), { slug: 'not-found' })
    await assert.rejects(host.client.deleteImage(gone), { slug: 'not-found' })
  })
})
