/**
 * The vmcore that a real Linux 7.2 made under a real firmware-assisted dump goes in as an image, crashes here, and
 * must come out again: the reference directory beside the repository says what it held.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createReadStream } from 'node:fs'
import { mkdtemp, open, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after, before, suite } from 'node:test'
import { equalBytes } from '@fadump-lab/shared/units'
import { startRoom, type Room } from '../support/room.ts'
import { locate, without } from '../support/tools.ts'

const MiB = 1024 * 1024
const GiB = 1024 * MiB
const missing = without('shared', 'zstd', 'vmcore-dmesg', 'readelf')

suite('a true vmcore of Linux 7.2 survives the trip', { skip: missing }, () => {
  const files = { directory: '', original: '', collected: '' }
  const state: { room?: Room } = {}

  before(async () => {
    files.directory = await mkdtemp(join(tmpdir(), 'fadump-truth-'))
    const packed = join(locate('shared'), 'truth/vmcore/vmcore.m-1g-smp2.zst')
    files.original = join(files.directory, 'original')
    const unpacked = spawnSync(locate('zstd'), [
      '-q',
      '-d',
      '--sparse',
      '-o',
      files.original,
      packed,
    ])
    assert.equal(unpacked.status, 0, unpacked.stderr.toString())
    const room = await startRoom()
    state.room = room
    await room.api.routes.createImage({
      query: { id: 'truth' },
      headers: { 'content-encoding': 'zstd' },
      body: createReadStream(packed),
    })
    await room.api.boot({
      id: 'truth',
      memoryBytes: GiB,
      processors: 2,
      profile: 'modern',
      bootArguments: 'console=hvc0 fadump=on t.copy=1 t.mdf=1 t.vcdmesg=1 t.9p=1',
      image: 'truth',
    })
    const dump = await room.api.crash('truth')
    files.collected = join(room.dumpRoot, 'truth', dump.id, 'vmcore')
  })

  after(async () => {
    await state.room?.[Symbol.asyncDispose]()
    await rm(files.directory, { recursive: true, force: true })
  })

  test('its program headers are those of the original, sub-page offsets included', () => {
    const { stdout } = spawnSync(locate('readelf'), ['-lW', files.collected], { encoding: 'utf8' })
    const headers = stdout.split('\n').filter((line) => /^\s+(?:NOTE|LOAD)\s/.test(line))
    assert.deepEqual(
      headers.map((line) => line.trim().split(/\s+/).slice(0, 6)),
      [
        ['NOTE', '0x010000', '0x0000000000000000', '0x0000000000000000', '0x0011b4', '0x0011b4'],
        [
          'LOAD',
          '0x020000',
          '0xc000000000000000',
          '0x0000000000000000',
          '0x14000000',
          '0x14000000',
        ],
        [
          'LOAD',
          '0x140202a8',
          '0xc0000000280102a8',
          '0x00000000280102a8',
          '0x17fefd58',
          '0x17fefd58',
        ],
      ],
    )
  })

  test('every byte is the same, but for the one page that holds the dump memory structure', async () => {
    await using original = await open(files.original)
    await using collected = await open(files.collected)
    const { size } = await original.stat()
    assert.equal((await collected.stat()).size, size)
    assert.equal(size, 738_263_040)
    const different: number[] = []
    const window = 4 * MiB
    const page = 65_536
    const [a, b] = [new Uint8Array(window), new Uint8Array(window)]
    for (let offset = 0; offset < size; offset += window) {
      const { bytesRead } = await original.read(a, 0, window, offset)
      await collected.read(b, 0, window, offset)
      for (let at = 0; at < bytesRead; at += page) {
        const end = Math.min(at + page, bytesRead)
        if (!equalBytes(a.subarray(at, end), b.subarray(at, end))) different.push(offset + at)
      }
    }
    assert.equal(
      different.length,
      1,
      `pages that differ: ${different.map((at) => at.toString(16)).join(' ')}`,
    )
    const [owned = 0] = different
    await original.read(a, 0, page, owned)
    await collected.read(b, 0, page, owned)
    assert.ok(
      a.subarray(0, page).every((byte) => byte === 0),
      'the page was free in the original',
    )
    assert.equal(new DataView(b.buffer).getUint32(0), 1, 'it starts with dump_format_version 1')
  })

  test('vmcore-dmesg prints the log of the real kernel', async () => {
    const expected = join(locate('shared'), 'truth/decoded/m-1g-smp2.vmcore-dmesg.txt')
    const { stdout, status } = spawnSync(locate('vmcore-dmesg'), [files.collected], {
      encoding: 'utf8',
      maxBuffer: 16 * MiB,
    })
    assert.equal(status, 0)
    assert.equal(stdout, await readFile(expected, 'utf8'))
  })

  test(
    'every tool that passes on the original passes on the copy',
    { skip: without('vmcore-tools') },
    () => {
      const verdicts = (vmcore: string): string[] => {
        const script = join(locate('shared'), 'vmcore-tools/check.sh')
        const { stdout } = spawnSync(script, [vmcore, '--tools', locate('vmcore-tools')], {
          encoding: 'utf8',
          maxBuffer: 16 * MiB,
        })
        return stdout.split('\n').flatMap((line) => {
          const [, verdict, name] = /^(PASS|FAIL|SKIP)\s+(\S.*?)\s{2,}/.exec(line) ?? []
          return verdict === 'PASS' && name !== undefined ? [name] : []
        })
      }
      const reference = verdicts(files.original)
      assert.ok(reference.length >= 15, `the reference passes ${reference.length} checks`)
      assert.deepEqual(verdicts(files.collected), reference)
    },
  )
})
