import assert from 'node:assert/strict'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { suite } from 'node:test'
import { errorCode, nodeFiles, readText } from './files.ts'
import { parsePlace, placeOf } from './layout.ts'
import { readFully, writeAll } from './whole-io.ts'

async function aDirectory() {
  const path = await mkdtemp(join(tmpdir(), 'dump-files-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

suite("the machine's disk", () => {
  test('keeps holes: a file of 1 TiB with one page takes one page', async () => {
    await using directory = await aDirectory()
    const path = join(directory.path, 'vmcore')
    {
      await using file = await nodeFiles.open(path, 'update')
      await file.resize(2 ** 40)
      await file.write([new Uint8Array(60_000).fill(1), new Uint8Array(5536).fill(2)], 2 ** 39)
      await file.sync()
      const target = new Uint8Array(4)
      assert.equal(await file.read(target, 2 ** 39 + 59_998), 4)
      assert.deepEqual([...target], [1, 1, 2, 2])
      assert.equal(await file.read(target, 2 ** 40 - 3), 3)
    }
    const facts = await nodeFiles.facts(path)
    assert.equal(facts?.sizeBytes, 2 ** 40)
    assert.ok((facts?.storedBytes ?? 0) <= 65_536 + 8192, `${facts?.storedBytes}`)
  })

  test('lets nobody but the owner look at a dump', async () => {
    await using directory = await aDirectory()
    await nodeFiles.makeDirectory(join(directory.path, 'p1', 'p1-1'))
    await using _file = await nodeFiles.open(join(directory.path, 'p1', 'vmcore'), 'replace')
    assert.equal((await stat(join(directory.path, 'p1'))).mode & 0o777, 0o700)
    assert.equal((await stat(join(directory.path, 'p1', 'vmcore'))).mode & 0o777, 0o600)
  })

  test('has nothing where nothing is', async () => {
    await using directory = await aDirectory()
    const absent = join(directory.path, 'absent')
    assert.deepEqual(await nodeFiles.list(absent), [])
    assert.equal(await nodeFiles.facts(absent), undefined)
    assert.equal(await readText(nodeFiles, absent, 10), undefined)
    await nodeFiles.remove(absent)
    await nodeFiles.removeIfEmpty(absent)
    await assert.rejects(nodeFiles.open(absent, 'read'), (error) => errorCode(error) === 'ENOENT')
  })

  test('a directory goes only when nothing is in it', async () => {
    await using directory = await aDirectory()
    const path = join(directory.path, 'p1')
    await nodeFiles.makeDirectory(join(path, 'p1-1'))
    await nodeFiles.removeIfEmpty(path)
    assert.deepEqual(await nodeFiles.list(path), [{ name: 'p1-1', kind: 'directory' }])
    await nodeFiles.removeIfEmpty(join(path, 'p1-1'))
    await nodeFiles.removeIfEmpty(path)
    assert.deepEqual(await nodeFiles.list(directory.path), [])
  })

  test('a small file that is larger than it may be is not read', async () => {
    await using directory = await aDirectory()
    const path = join(directory.path, 'dump.json')
    await writeFile(path, 'ä'.repeat(5))
    assert.equal(await readText(nodeFiles, path, 10), 'äääää')
    assert.equal(await readText(nodeFiles, path, 9), undefined)
  })
})

/** As the calls of a FileHandle: buffer, offset in it, length, position in the file. */
type Call = [Uint8Array, number, number, number]

suite('system calls that stop half-way', () => {
  test('are continued until every byte is written', async () => {
    const content = new Uint8Array(20)
    const put = (bytes: Uint8Array, position: number) => content.set(bytes, position)
    const handle = {
      writev: (parts: readonly Uint8Array[], position: number) => {
        put(parts[0]?.subarray(0, 2) ?? new Uint8Array(), position)
        return Promise.resolve({ bytesWritten: 2, buffers: parts })
      },
      write: (...[bytes, offset, length, position]: Call) => {
        const taken = Math.min(3, length)
        put(bytes.subarray(offset, offset + taken), position)
        return Promise.resolve({ bytesWritten: taken, buffer: bytes })
      },
    }
    const parts = [Uint8Array.of(1, 2, 3), Uint8Array.of(4, 5, 6, 7, 8)]
    await writeAll(handle as unknown as Parameters<typeof writeAll>[0], parts, 10)
    assert.deepEqual([...content.subarray(8)], [0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0])
  })

  test('are continued until every byte is read', async () => {
    const content = Uint8Array.from({ length: 10 }, (_, index) => index)
    const handle = {
      read: (...[target, offset, length, position]: Call) => {
        const found = content.subarray(position, position + Math.min(3, length))
        target.set(found, offset)
        return Promise.resolve({ bytesRead: found.byteLength, buffer: target })
      },
    }
    const target = new Uint8Array(8)
    const reading = readFully(handle as unknown as Parameters<typeof readFully>[0], target, 4)
    assert.equal(await reading, 6)
    assert.deepEqual([...target], [4, 5, 6, 7, 8, 9, 0, 0])
  })
})

suite('names in the store', () => {
  const own: readonly [string, string, string][] = [
    ['p1-1', 'final', 'p1-1'],
    ['p1-1.incomplete', 'incomplete', 'p1-1'],
    ['p1-1.deleted', 'deleted', 'p1-1'],
  ]
  for (const [name, kind, dump] of own) {
    test(`${name} is ${kind}`, () => {
      const place = parsePlace('/store', 'p1', name)
      assert.deepEqual([place?.kind, place?.dump], [kind, dump])
      assert.equal(place?.directory, `/store/p1/${name}`)
    })
  }

  const foreign = [
    '..',
    '.',
    '',
    'a/b',
    'P1-1',
    'p1-1.old',
    '.incomplete',
    'p1-1.incomplete.deleted',
  ]
  for (const name of foreign) {
    test(`${JSON.stringify(name)} is not the collector's`, () => {
      assert.equal(parsePlace('/store', 'p1', name), undefined)
      assert.equal(parsePlace('/store', name, 'p1-1'), undefined)
      assert.throws(() => placeOf('/store', { partition: 'p1', dump: name }, 'final'))
    })
  }
})
