import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { pipeline } from 'node:stream/promises'
import test, { suite } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import {
  elfMedia,
  flattenedMedia,
  hypervisorRoutes,
  imageSpace,
  Problem,
  records,
} from '@fadump-lab/shared/contracts'
import { asDeclared } from '@fadump-lab/shared/identity'
import { createHeapMemoryStore } from '@fadump-lab/shared/store'
import { byteLength, concat, fromAscii } from '@fadump-lab/shared/units'
import { eventually } from '../../../../test/support/eventually.ts'
import { testKeys } from '../../../../test/support/keys.ts'
import { aCore, changed, flattened } from '../testing/cores.ts'
import { createFaultyStore } from '../testing/faulty-store.ts'
import { startHypervisor, type StartedHypervisor } from '../testing/started-hypervisor.ts'

/** Offsets in the ELF header, in program header 0 (PT_NOTE) and 1 (PT_LOAD), and of the first note. */
const header = { type: 16, machine: 18, phoff: 32, phentsize: 54, phnum: 56 } as const
const noteHeader = { offset: 64 + 8, fileSize: 64 + 32 } as const
const load = (index: number) => {
  const at = 64 + 56 * (1 + index)
  return { offset: at + 8, physical: at + 24, fileSize: at + 32, memorySize: at + 40 } as const
}

const twoLoads = aCore({
  loads: [
    { physical: 0n, bytes: new Uint8Array(200_000).fill(1) },
    { physical: 0x10_0000n, bytes: new Uint8Array(200_000).fill(2) },
  ],
})
const firstNote = 64 + 56 * 3

interface Hostile {
  readonly what: string
  readonly body: Uint8Array
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly slug?: string
  readonly status?: number
  readonly detail: RegExp
}

const u16 = (at: number, value: number) => changed(twoLoads, { at, width: 2, value: BigInt(value) })
const u64 = (at: number, value: bigint) => changed(twoLoads, { at, width: 8, value })

const hostile: readonly Hostile[] = [
  { what: 'nothing', body: new Uint8Array(0), detail: /every byte its headers promise/ },
  { what: 'text', body: fromAscii('hello '.repeat(100)), detail: /starts with 7f 45 4c 46/ },
  { what: 'half a header', body: twoLoads.slice(0, 40), detail: /every byte/ },
  { what: 'half the program headers', body: twoLoads.slice(0, 100), detail: /every byte/ },
  { what: 'a cut in the last PT_LOAD', body: twoLoads.slice(0, -1), detail: /every byte/ },
  { what: 'a cut in the notes', body: twoLoads.slice(0, firstNote + 20), detail: /every byte/ },
  { what: 'an x86 core', body: u16(header.machine, 62), detail: /EM_PPC64.*EM_X86_64/ },
  { what: 'a program instead of a core', body: u16(header.type, 2), detail: /ET_CORE/ },
  {
    what: 'a 32-bit core',
    body: concat([twoLoads.slice(0, 4), new Uint8Array([1]), twoLoads.slice(5)]),
    detail: /ELFCLASS64/,
  },
  { what: 'e_phnum 0', body: u16(header.phnum, 0), detail: /e_phnum must not be 0/ },
  { what: 'e_phnum PN_XNUM', body: u16(header.phnum, 0xffff), detail: /at most 65534/ },
  {
    what: 'e_phnum 65534 with nothing behind it',
    body: u16(header.phnum, 65_534),
    detail: /every byte/,
  },
  {
    what: 'e_phoff 2^64 - 1',
    body: u64(header.phoff, 0xffff_ffff_ffff_ffffn),
    detail: /program headers/,
  },
  { what: 'e_phentsize 32', body: u16(header.phentsize, 32), detail: /e_phentsize must be 56/ },
  {
    what: 'p_filesz 2^64 - 1',
    body: u64(load(0).fileSize, 0xffff_ffff_ffff_ffffn),
    detail: /p_filesz/,
  },
  {
    what: 'p_filesz and p_memsz 2^64 - 1',
    body: changed(u64(load(0).fileSize, 0xffff_ffff_ffff_ffffn), {
      at: load(0).memorySize,
      width: 8,
      value: 0xffff_ffff_ffff_ffffn,
    }),
    detail: /2\^63/,
  },
  { what: 'overlapping PT_LOADs', body: u64(load(1).physical, 0x1000n), detail: /physical memory/ },
  { what: 'PT_LOADs that share bytes', body: u64(load(1).offset, 1000n), detail: /in the file/ },
  {
    what: 'a note of size -1',
    body: changed(twoLoads, { at: firstNote + 4, width: 4, value: 0xffff_ffffn }),
    detail: /note must end within/,
  },
  {
    what: 'a note with a name of size -1',
    body: changed(twoLoads, { at: firstNote, width: 4, value: 0xffff_ffffn }),
    detail: /note must end within/,
  },
  {
    what: 'notes of 1 GiB',
    body: u64(noteHeader.fileSize, 2n ** 30n),
    detail: /64 MiB/,
  },
  {
    what: 'an NT_PRSTATUS of another architecture',
    body: changed(twoLoads, { at: firstNote + 4, width: 4, value: 336n }),
    detail: /504|note/,
  },
  {
    what: 'no VMCOREINFO',
    body: aCore({ vmcoreinfo: null }),
    detail: /PAGESIZE=4096 or 65536, not nothing/,
  },
  {
    what: 'an unknown page size',
    body: aCore({ vmcoreinfo: 'PAGESIZE=16384\n' }),
    detail: /not 16384/,
  },
  {
    what: '5000 PT_LOADs',
    body: aCore({
      loads: Array.from({ length: 5000 }, (_, index) => ({
        physical: BigInt(index * 16),
        bytes: new Uint8Array(16).fill(1),
      })),
    }),
    detail: /at most 4096 PT_LOADs; found 5000/,
  },
  {
    what: 'a big-endian core for a little-endian profile',
    body: aCore({ order: 'big' }),
    query: { profile: 'modern' },
    detail: /byte order must be the expected one/,
  },
  {
    what: 'more memory than the frame has',
    body: u64(load(1).physical, 2n ** 50n),
    slug: 'insufficient-capacity',
    status: 507,
    detail: /frame server-1 has 4 TiB/,
  },
  {
    what: 'a gzip stream that is none',
    body: twoLoads,
    headers: { 'content-encoding': 'gzip' },
    detail: /no whole gzip stream/,
  },
  {
    what: 'a gzip stream that ends early',
    body: new Uint8Array(gzipSync(twoLoads)).slice(0, -20),
    headers: { 'content-encoding': 'gzip' },
    detail: /no whole gzip stream/,
  },
  {
    what: 'a zstd stream that is none',
    body: twoLoads,
    headers: { 'content-encoding': 'zstd' },
    detail: /no whole zstd stream/,
  },
  {
    what: 'a zstd stream that expands beyond the bound',
    body: new Uint8Array(zstdCompressSync(new Uint8Array(64 * 1024 * 1024))),
    headers: { 'content-encoding': 'zstd' },
    detail: /starts with 7f 45|at most 32 MiB/,
  },
  {
    what: 'a core beyond the bound',
    body: aCore({ loads: [{ physical: 0n, bytes: new Uint8Array(33 * 1024 * 1024) }] }),
    detail: /at most 32 MiB/,
  },
  {
    what: 'a flattened stream without an end',
    body: flattened(twoLoads, [[0, twoLoads.byteLength]]).slice(0, -16),
    headers: { 'content-type': flattenedMedia },
    detail: /ends with the record offset -1/,
  },
  {
    what: 'a plain core that claims to be flattened',
    body: twoLoads,
    headers: { 'content-type': flattenedMedia },
    detail: /starts with "makedumpfile"/,
  },
  {
    what: 'an unknown encoding',
    body: twoLoads,
    headers: { 'content-encoding': 'br' },
    slug: 'unsupported-media-type',
    status: 415,
    detail: /identity, gzip or zstd/,
  },
  {
    what: 'an unknown media type',
    body: twoLoads,
    headers: { 'content-type': 'text/plain' },
    slug: 'unsupported-media-type',
    status: 415,
    detail: /application\/octet-stream/,
  },
  {
    what: 'an id in capitals',
    body: twoLoads,
    query: { id: 'I1' },
    slug: 'invalid-request',
    status: 400,
    detail: /lower-case/,
  },
  {
    what: 'a frame that is not there',
    body: twoLoads,
    query: { frame: 'nowhere' },
    slug: 'not-found',
    status: 404,
    detail: /no frame nowhere/,
  },
]

const send = (
  host: StartedHypervisor,
  { body, query, headers }: Omit<Hostile, 'what' | 'detail'>,
) =>
  host.client.createImage({
    query: { id: 'i1', ...query },
    headers: { 'content-type': elfMedia, ...headers },
    body,
  })

suite('a file that is no usable vmcore', () => {
  for (const row of hostile) {
    test(`${row.what}: refused, and the store is as it was`, async () => {
      await using host = await startHypervisor({
        config: { imageBytesMax: byteLength(32 * 1024 * 1024) },
      })
      const before = await host.store.usage('server-1')
      await assert.rejects(send(host, row), (error) => {
        assert.ok(error instanceof Problem)
        assert.match(error.message, row.detail)
        assert.equal(error.slug, row.slug ?? 'invalid-image')
        assert.equal(error.status, row.status ?? 422)
        return true
      })
      assert.deepEqual(await host.store.usage('server-1'), before)
      assert.deepEqual(await host.client.listImages({}), [])
      // The id is free again.
      await host.client.createImage({ query: { id: 'i1' }, body: aCore() })
    })
  }

  test('a long body is refused at its first bytes, and its sender still gets the reply', async () => {
    await using host = await startHypervisor()
    const body = new Uint8Array(48 * 1024 * 1024).fill(0x20)
    await assert.rejects(send(host, { body }), { slug: 'invalid-image' })
  })

  test('an endless body is answered, and cut off after a while', async () => {
    await using host = await startHypervisor()
    const { hostname, port } = new URL(host.url)
    const socket = connect(Number(port), hostname)
    const answer = once(socket, 'data')
    const { authorization } = asDeclared(testKeys)(hypervisorRoutes.createImage)
    const chunk = concat([fromAscii('100000\r\n'), new Uint8Array(0x10_0000), fromAscii('\r\n')])
    function* endless() {
      yield fromAscii('POST /images?id=i1 HTTP/1.1\r\nhost: lab\r\ntransfer-encoding: chunked\r\n')
      yield fromAscii(`authorization: ${authorization}\r\ncontent-type: ${elfMedia}\r\n\r\n`)
      for (;;) yield chunk
    }
    await assert.rejects(pipeline(endless(), socket), { code: /^(EPIPE|ECONNRESET)$/ })
    assert.match(String((await answer)[0]), /^HTTP\/1.1 422 /)
  })

  test('a taken id: already-exists, and the first image stays', async () => {
    await using host = await startHypervisor()
    const first = await host.client.createImage({ query: { id: 'i1' }, body: aCore() })
    const again = host.client.createImage({ query: { id: 'i1' }, body: twoLoads })
    await assert.rejects(again, { slug: 'already-exists' })
    assert.deepEqual(await host.client.getImage({ params: { image: 'i1' } }), first)
  })
})

suite('an upload that breaks off', () => {
  test('leaves nothing behind', async () => {
    await using host = await startHypervisor()
    const before = await host.store.usage('server-1')
    const broken = new Error('the network is gone (planned)')
    async function* body() {
      yield twoLoads.slice(0, 250_000)
      throw broken
    }
    await assert.rejects(send(host, { body: body() as unknown as Uint8Array }))
    await eventually('the store is as it was', async () => {
      const now = await host.store.usage('server-1')
      return now.spaces === before.spaces && now.pages === before.pages
    })
  })

  test('because the process died is removed by the next one', async () => {
    await using store = createHeapMemoryStore()
    await using first = await startHypervisor({ store })
    const before = await store.usage('server-1')
    await first.stop()
    await store.createSpace(imageSpace('server-1', 'half'), byteLength(65_536), {
      [records.image]: '{"status":"importing"}',
    })
    await using second = await startHypervisor({ store })
    assert.deepEqual(await store.usage('server-1'), before)
    await second.client.createImage({ query: { id: 'half' }, body: aCore() })
  })

  test('because the store does not answer is refused: dependency-unavailable', async () => {
    await using inner = createHeapMemoryStore()
    const faulty = createFaultyStore(inner)
    await using host = await startHypervisor({ store: faulty.store })
    const before = await inner.usage('server-1')
    for (let call = 1, isHit = true; isHit; call++) {
      faulty.arm({ call, moment: 'before', lasts: 'once' })
      const outcome = await send(host, { body: twoLoads, query: { id: `i${call}` } }).then(
        () => 'created',
        (error: unknown) => (error as { slug?: unknown }).slug,
      )
      isHit = faulty.hasStruck
      faulty.disarm()
      assert.equal(outcome, isHit ? 'dependency-unavailable' : 'created')
      if (isHit) assert.deepEqual(await inner.usage('server-1'), before)
    }
  })
})
