import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import test, { suite } from 'node:test'
import { consoleHeaders, openRoom, type Collector, type Room } from './collector-room.ts'
import {
  aVmcore,
  cutAfter,
  flattened,
  manifestOf,
  partBytes,
  refusal,
  startFakeKernel,
  wholeFile,
} from './fake-kernel.ts'

const vmcore = aVmcore()

async function collected(room: Room): Promise<Collector> {
  await using kernel = await startFakeKernel(vmcore)
  const collector = await room.startCollector()
  await room.announce(kernel.job)
  await room.idle()
  return collector
}

const download = (collector: Collector, headers: Record<string, string> = {}) =>
  fetch(`${collector.url}/dumps/p1-1/vmcore`, { headers: { ...consoleHeaders, ...headers } })

const bytesOf = async (response: Response) => new Uint8Array(await response.arrayBuffer())

suite('a stored vmcore is downloaded', () => {
  test('as a whole, with its size and its digest', async () => {
    await using room = await openRoom()
    await using collector = await collected(room)
    const response = await download(collector)
    const { digest } = await collector.client.getDump({ params: { dump: 'p1-1' } })
    assert.equal(response.status, 200)
    assert.equal(response.headers.get('content-length'), '4194304')
    assert.equal(response.headers.get('content-type'), 'application/octet-stream')
    assert.equal(response.headers.get('accept-ranges'), 'bytes')
    assert.equal(response.headers.get('etag'), `"${digest}"`)
    assert.deepEqual(await bytesOf(response), wholeFile(vmcore))
  })

  const ranges: readonly [string, string, number, number][] = [
    ['the first byte', 'bytes=0-0', 0, 1],
    ['bytes across a hole', 'bytes=190000-600000', 190_000, 600_001],
    ['the end', 'bytes=4194300-', 4_194_300, 4_194_304],
    ['the last bytes', 'bytes=-100000', 4_094_304, 4_194_304],
    ['more than there is', 'bytes=4000000-9999999999999', 4_000_000, 4_194_304],
  ]
  for (const [what, range, start, end] of ranges) {
    test(`by range: ${what}`, async () => {
      await using room = await openRoom()
      await using collector = await collected(room)
      const response = await download(collector, { range })
      assert.equal(response.status, 206)
      assert.equal(response.headers.get('content-range'), `bytes ${start}-${end - 1}/4194304`)
      assert.equal(response.headers.get('content-length'), `${end - start}`)
      assert.deepEqual(await bytesOf(response), wholeFile(vmcore).subarray(start, end))
    })
  }

  test('not beyond its end, and the answer names the size', async () => {
    await using room = await openRoom()
    await using collector = await collected(room)
    const response = await download(collector, { range: 'bytes=4194304-' })
    assert.equal(response.status, 416)
    assert.equal(response.headers.get('content-range'), 'bytes */4194304')
    assert.match(await response.text(), /range-not-satisfiable/)
  })

  test('as a whole when the range is of another version', async () => {
    await using room = await openRoom()
    await using collector = await collected(room)
    const { digest } = await collector.client.getDump({ params: { dump: 'p1-1' } })
    const other = await download(collector, { range: 'bytes=0-9', 'if-range': '"other"' })
    assert.equal(other.status, 200)
    await other.body?.cancel()
    const same = await download(collector, { range: 'bytes=0-9', 'if-range': `"${digest}"` })
    assert.equal(same.status, 206)
    assert.equal((await bytesOf(same)).byteLength, 10)
  })

  test('with the manifest it was verified against', async () => {
    await using room = await openRoom()
    await using collector = await collected(room)
    const { body } = await collector.client.getDumpManifest({ params: { dump: 'p1-1' } })
    const decoder = new TextDecoder()
    let text = ''
    for await (const chunk of body) text += decoder.decode(chunk, { stream: true })
    assert.equal(text, manifestOf(vmcore))
  })
})

suite('a dump that is being collected', () => {
  test('is listed with what has come, and can be neither read nor deleted', async () => {
    await using room = await openRoom()
    await using kernel = await startFakeKernel(vmcore)
    const sent = Promise.withResolvers<void>()
    const goOn = Promise.withResolvers<void>()
    kernel.behave({
      vmcore: async function* (from, request) {
        if (request === 1) {
          for (const chunk of [...flattened(vmcore, from)].slice(0, 5)) yield chunk
          sent.resolve()
          await goOn.promise
          throw new Error('cut')
        }
        yield* flattened(vmcore, from)
      },
    })
    await using collector = await room.startCollector()
    await room.announce(kernel.job)
    await sent.promise
    const { client } = collector
    const params = { dump: 'p1-1' }
    const [listed] = await client.listDumps({ query: { partition: 'p1' } })
    assert.deepEqual([listed?.status, listed?.step], ['capturing', 'transferring'])
    const refused = { slug: 'wrong-state', message: /p1-1 is capturing/ }
    await assert.rejects(client.downloadVmcore({ params }), refused)
    await assert.rejects(client.getDumpManifest({ params }), refused)
    await assert.rejects(client.deleteDump({ params }), refused)
    goOn.resolve()
    await room.idle()
    assert.equal((await client.getDump({ params })).status, 'complete')
  })
})

suite('dumps', () => {
  test('that are deleted are gone, from the disk as well', async () => {
    await using room = await openRoom()
    await using collector = await collected(room)
    const params = { dump: 'p1-1' }
    await collector.client.deleteDump({ params })
    assert.deepEqual(await readdir(room.path()), [], 'and so is the directory of their partition')
    assert.deepEqual(await collector.client.listDumps({}), [])
    await assert.rejects(collector.client.getDump({ params }), { slug: 'not-found' })
    await assert.rejects(collector.client.deleteDump({ params }), { slug: 'not-found' })
  })

  test('that are partial can be read and deleted', async () => {
    await using room = await openRoom()
    await using kernel = await startFakeKernel(vmcore)
    kernel.behave({
      vmcore: (from, request) => {
        if (request === 1) return cutAfter(flattened(vmcore, from), 2 * partBytes)
        throw refusal('not-found')
      },
    })
    await using collector = await room.startCollector()
    await room.announce(kernel.job)
    await room.idle()
    const response = await download(collector, { range: `bytes=0-${partBytes - 1}` })
    assert.deepEqual(await bytesOf(response), vmcore.parts[0]?.bytes)
    await collector.client.deleteDump({ params: { dump: 'p1-1' } })
    assert.deepEqual(await readdir(room.path()), [])
  })

  test('are listed newest first, of one partition or of all', async () => {
    await using room = await openRoom()
    await using one = await startFakeKernel(vmcore)
    await using other = await startFakeKernel(vmcore, { partition: 'p2' })
    await using collector = await room.startCollector()
    for (const job of [one.job, other.job, { ...one.job, dump: 'p1-2' }]) {
      await room.announce(job)
      await room.idle()
    }
    const ids = async (query: { partition?: string }) =>
      (await collector.client.listDumps({ query })).map(({ id }) => id)
    assert.deepEqual(await ids({}), ['p1-2', 'p2-1', 'p1-1'])
    assert.deepEqual(await ids({ partition: 'p1' }), ['p1-2', 'p1-1'])
    assert.deepEqual(await ids({ partition: 'p3' }), [])
  })

  test('are found by a collector that starts on the same root, foreign files are left alone', async () => {
    await using room = await openRoom()
    {
      await using _collector = await collected(room)
    }
    await writeFile(room.path('notes.txt'), 'mine')
    await mkdir(room.path('p1', 'My Dump'))
    await mkdir(room.path('p1', 'p1-7.incomplete'))
    await mkdir(room.path('p1', 'p1-8'))
    await writeFile(room.path('p1', 'p1-8', 'dump.json'), '{"id":"p1-9"}')
    await mkdir(room.path('p1', 'p1-6.deleted'))
    await using collector = await room.startCollector()
    assert.deepEqual(
      (await collector.client.listDumps({})).map(({ id }) => id),
      ['p1-1'],
    )
    assert.deepEqual(await readdir(room.path('p1')), ['My Dump', 'p1-1', 'p1-7.incomplete', 'p1-8'])
    assert.equal(await readFile(room.path('notes.txt'), 'utf8'), 'mine')
    assert.equal((await download(collector)).status, 200)
  })

  const names = ['..%2f..%2fetc', '%2e%2e', 'p1-1.incomplete', 'P1-1', 'p1%00', 'p1-1%2fvmcore']
  for (const name of names) {
    test(`cannot be asked for by a name that is no id: ${name}`, async () => {
      await using room = await openRoom()
      await using collector = await room.startCollector()
      const response = await fetch(`${collector.url}/dumps/${name}/vmcore`, {
        headers: consoleHeaders,
      })
      assert.ok([400, 404].includes(response.status), `${response.status}`)
    })
  }
})
