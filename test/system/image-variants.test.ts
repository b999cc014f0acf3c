/**
 * Images other than the one true vmcore: other page sizes, byte orders, CPUs, and memory that begins inside a page. What
 * goes in must come out: bytes, registers, VMCOREINFO; and nothing else but the one page that fadump itself needs.
 */
import assert from 'node:assert/strict'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import test, { after, before, suite } from 'node:test'
import type { Dump, NewPartition } from '@fadump-lab/shared/contracts'
import { flattenedStream } from '../support/flattened-stream.ts'
import {
  imageCpus,
  memoryImage,
  noiseAt,
  type ImageRecipe,
  type Placed,
} from '../support/memory-image.ts'
import { startRoom, type Room } from '../support/room.ts'
import { Vmcore } from '../support/vmcore.ts'

const MiB = 2n ** 20n
const GiB = 2n ** 30n
const page = 65_536

const at = (physical: bigint, length: number): Placed => ({
  physical,
  bytes: noiseAt(physical, length),
})

interface Variant extends ImageRecipe {
  readonly id: string
  readonly what: string
  readonly profile: NewPartition['profile']
}

/** Places are chosen outside the reserved dump area, whose memory no dump has. */
const variants: readonly Variant[] = [
  {
    id: 'small-pages',
    what: 'little-endian pages of 4 KiB, VMCOREINFO in memory',
    profile: 'modern',
    order: 'little',
    pageSize: 4096,
    cpus: 2,
    crashingCpu: 0,
    vmcoreinfoAt: 0x60_1000n,
    loads: [
      at(0n, 3 * page),
      at(0x60_0000n, page),
      at(0x500_1000n, 3 * 4096),
      at(800n * MiB, 2 * page),
    ],
  },
  {
    id: 'third-cpu',
    what: 'four CPUs of which the third crashed',
    profile: 'modern',
    order: 'little',
    pageSize: 65_536,
    cpus: 4,
    crashingCpu: 2,
    loads: [at(0n, 2 * page), at(900n * MiB, page)],
  },
  {
    id: 'big-endian',
    what: 'a big-endian kernel of 2011',
    profile: 'v5',
    order: 'big',
    pageSize: 65_536,
    cpus: 3,
    crashingCpu: 1,
    loads: [at(0n, 5 * page), at(400n * MiB, page)],
  },
  {
    id: 'inside-a-page',
    what: 'a PT_LOAD that begins and ends inside a page',
    profile: 'modern',
    order: 'little',
    pageSize: 65_536,
    cpus: 2,
    crashingCpu: 1,
    loads: [at(0n, page), at(0x301_02a8n, 0x1_2345), at(0x3800_02a8n, 0x2_0001)],
  },
]

/** Asserts that the vmcore has all of `placed` and, beside it, one page at most. */
async function assertMemory(core: Vmcore, placed: readonly Placed[]): Promise<void> {
  for (const { physical, bytes } of placed) {
    const found = await core.physical(physical, bytes.byteLength)
    assert.ok(found !== undefined, `0x${physical.toString(16)} is in a PT_LOAD`)
    assert.ok(Buffer.compare(found, bytes) === 0, `the bytes at 0x${physical.toString(16)}`)
  }
  const expected = new Set(placed.flatMap(({ physical, bytes }) => pagesOf(physical, bytes.length)))
  const others = new Set<bigint>()
  // A granule of the file may be listed for what stands before its PT_LOAD; within the PT_LOAD it is then zero.
  for (const { address, size } of await core.populated()) {
    const found = (await core.physical(address, Number(size))) ?? new Uint8Array(0)
    found.forEach((byte, index) => {
      const number = (address + BigInt(index)) / BigInt(page)
      if (byte !== 0 && !expected.has(number)) others.add(number)
    })
  }
  const named = [...others].join(' ')
  assert.ok(others.size <= 1, `pages that the image does not have: ${named}`)
}

function pagesOf(start: bigint, length: number): bigint[] {
  const first = start / BigInt(page)
  const last = (start + BigInt(length) - 1n) / BigInt(page)
  return Array.from({ length: Number(last - first) + 1 }, (_, index) => first + BigInt(index))
}

async function assertNotes(
  core: Vmcore,
  expected: { readonly registers: readonly (readonly bigint[])[]; readonly vmcoreinfo: string },
): Promise<void> {
  assert.deepEqual(
    (await core.cpus()).map(({ pid, registers }) => ({ pid, registers })),
    expected.registers.map((registers) => ({ pid: 0, registers })),
  )
  assert.equal(await core.vmcoreinfo(), expected.vmcoreinfo)
}

suite('images', () => {
  const state: { room?: Room } = {}
  const room = (): Room => {
    assert.ok(state.room !== undefined, 'the room is up')
    return state.room
  }
  const fileOf = ({ partition, id }: Dump) => join(room().dumpRoot, partition, id, 'vmcore')
  before(async () => {
    state.room = await startRoom()
  })
  after(() => state.room?.[Symbol.asyncDispose]())

  for (const { id, what, profile, ...recipe } of variants) {
    test(`${what}: bytes, registers and VMCOREINFO come out as they went in`, async () => {
      const image = memoryImage(recipe)
      const { api } = room()
      const { crashingCpu, pageSize, byteOrder, cpus } = await api.routes.createImage({
        query: { id, profile },
        body: image.file,
      })
      assert.deepEqual(
        { crashingCpu, pageSize, order: byteOrder, cpus },
        {
          crashingCpu: recipe.crashingCpu,
          pageSize: recipe.pageSize,
          order: recipe.order,
          cpus: recipe.cpus,
        },
      )
      await api.boot({
        id,
        profile,
        image: id,
        memoryBytes: Number(GiB),
        processors: recipe.cpus,
      })
      const dump = await api.crash(id)
      assert.equal(dump.status, 'complete')
      await using core = await Vmcore.open(fileOf(dump))
      assert.equal(core.littleEndian, recipe.order === 'little')
      await assertMemory(core, image.placed)
      await assertNotes(core, image)
    })
  }

  test('64 GiB with a few pages, uploaded as a flattened stream, take what is populated', async () => {
    const id = 'sparse'
    const memoryBytes = 64n * GiB
    const placed = [0n, 5n * MiB, 200n * MiB, 20n * GiB, memoryBytes - 3n * MiB].map((physical) =>
      at(physical, 12 * page),
    )
    const { file, registers, vmcoreinfo, loadsAt } = sparseImage(memoryBytes)
    const { api } = room()
    const image = await api.routes.createImage({
      query: { id },
      headers: { 'content-type': 'application/x-makedumpfile-flattened' },
      body: asyncOf(
        flattenedStream([
          { offset: 0n, bytes: file },
          ...placed.map(({ physical, bytes }) => ({ offset: loadsAt + physical, bytes })),
        ]),
      ),
    })
    assert.equal(image.memoryBytes, memoryBytes)
    assert.equal(image.populatedBytes, BigInt(placed.length * 12 * page))
    await api.boot({
      id,
      profile: 'modern',
      image: id,
      memoryBytes: Number(memoryBytes),
      processors: 2,
    })
    const dump = await api.crash(id)
    const { size, blocks } = await stat(fileOf(dump))
    assert.ok(size > 0.9 * Number(memoryBytes), `${size} bytes of a file of 64 GiB`)
    assert.ok(blocks * 512 < 6 * Number(MiB), `${blocks * 512} bytes on disk`)
    await using core = await Vmcore.open(fileOf(dump))
    await assertMemory(core, placed)
    await assertNotes(core, { registers, vmcoreinfo })
  })
})

/** Headers and notes of a core with one PT_LOAD of `memoryBytes` at 0, whose bytes stand at `loadsAt` of the file. */
function sparseImage(memoryBytes: bigint) {
  const image = memoryImage({
    order: 'little',
    pageSize: 65_536,
    cpus: 2,
    crashingCpu: 0,
    loads: [at(0n, 1)],
  })
  const file = image.file.slice()
  const view = new DataView(file.buffer)
  // The second program header: p_offset, p_filesz, p_memsz.
  const load = 64 + 56
  const loadsAt = view.getBigUint64(load + 8, true)
  view.setBigUint64(load + 32, memoryBytes, true)
  view.setBigUint64(load + 40, memoryBytes, true)
  return { ...image, registers: imageCpus(2, 0), file: file.subarray(0, Number(loadsAt)), loadsAt }
}

/** As a body that is sent piece by piece. */
async function* asyncOf(parts: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* parts
}
