/** `./lab demo` as a newcomer runs it, judged by tools that are not ours. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after, before, suite } from 'node:test'
import { locate, repositoryRoot, without } from '../support/tools.ts'

interface DemoJson {
  readonly result: string
  readonly systems: readonly {
    readonly partition: string
    readonly notes: number
    readonly sizeBytes: number
    readonly status: string
  }[]
}

const GiB = 2 ** 30
/** Processors and memory of the cover letter; notes: one per CPU that was online. */
const systems = [
  { id: 'p6-4g', memory: 4 * GiB, cpus: 8 },
  { id: 'p7-2g', memory: 2 * GiB, cpus: 20 },
  { id: 'p7-1t', memory: 1024 * GiB, cpus: 896 },
] as const

suite('the demo', { skip: without('readelf', 'gdb-multiarch', 'vmcore-dmesg') }, () => {
  const place = { directory: '' }
  const printed = { text: '' }
  const vmcore = (id: string): string => join(place.directory, 'out', id, 'vmcore')

  before(async () => {
    place.directory = await mkdtemp(join(tmpdir(), 'fadump-demo-'))
    const demo = runLab(['demo', '--out', join(place.directory, 'out')])
    printed.text = demo.stdout
    assert.equal(demo.status, 0, `${demo.stdout}${demo.stderr}`)
  })
  after(() => rm(place.directory, { recursive: true, force: true }))

  test('ends with ok and a row for every system', () => {
    assert.equal(printed.text.trimEnd().split('\n').at(-1), 'ok')
    for (const { id } of systems) assert.match(printed.text, new RegExp(`${id}.*complete`))
    // eslint-disable-next-line no-control-regex -- the absence of control characters is the point
    assert.doesNotMatch(printed.text, /\u001b\[\d*[AJK]/, 'plain lines when not on a terminal')
  })

  test('prints what the README shows, but for the time it takes and what the disk makes of it', async () => {
    const readme = await readFile(join(repositoryRoot, 'README.md'), 'utf8')
    const shown = /<!-- transcript: begin -->\n```text\n([^]*?)\n```/.exec(readme)?.[1] ?? ''
    const rows = (text: string): string[] =>
      text
        .split('\n')
        .filter((line) => line.startsWith('│'))
        .map((line) => line.split('│').slice(1, -2).toSpliced(4, 1).join('|'))
    assert.equal(rows(shown).length, 4)
    assert.deepEqual(rows(printed.text), rows(shown))
  })

  for (const { id, memory, cpus } of systems) {
    test(`readelf reads ${id}: ${cpus} NT_PRSTATUS, VMCOREINFO, PT_LOAD[0] at 0, no warning`, () => {
      const { stdout, stderr, status } = spawnSync(locate('readelf'), ['-hlnW', vmcore(id)], {
        encoding: 'utf8',
      })
      assert.equal(status, 0)
      assert.equal(stderr, '')
      assert.doesNotMatch(stdout, /warning|error/i)
      assert.match(stdout, /Data:\s+2's complement, big endian/)
      assert.match(stdout, /Type:\s+CORE/)
      assert.match(stdout, /Machine:\s+PowerPC64/)
      assert.equal(stdout.match(/NT_PRSTATUS/g)?.length, cpus)
      assert.match(stdout, /VMCOREINFO/)
      const loads = stdout.split('\n').filter((line) => /^\s+LOAD/.test(line))
      assert.equal(loads[0]?.trim().split(/\s+/)[3], '0x0000000000000000')
      const bytes = loads.reduce((sum, line) => sum + Number(line.trim().split(/\s+/)[5]), 0)
      assert.ok(
        bytes < memory && bytes > memory * 0.8,
        `${bytes} of ${memory} bytes are in PT_LOADs`,
      )
    })

    test(`${id} takes on disk what was populated, and its manifest says it is complete`, async () => {
      const { size, blocks } = await stat(vmcore(id))
      const manifest = JSON.parse(
        await readFile(join(place.directory, 'out', id, 'manifest.json'), 'utf8'),
      ) as { status: string; sizeBytes: number }
      assert.equal(manifest.status, 'complete')
      assert.equal(manifest.sizeBytes, size)
      assert.ok(blocks * 512 < 64 * 2 ** 20, `${blocks * 512} bytes on disk of ${size}`)
    })

    test(`vmcore-dmesg prints the crash of ${id}`, () => {
      const { stdout, status } = spawnSync(locate('vmcore-dmesg'), [vmcore(id)], {
        encoding: 'utf8',
      })
      assert.equal(status, 0)
      assert.match(stdout, /fadump/)
      assert.match(stdout, /Oops|Kernel panic|System Reset/i)
    })
  }

  test('with --json the same comes as one JSON document', () => {
    const demo = runLab(['demo', '--json', '--out', join(place.directory, 'json')])
    assert.equal(demo.status, 0, demo.stderr)
    const { result, systems: rows } = JSON.parse(demo.stdout) as DemoJson
    assert.equal(result, 'ok')
    assert.deepEqual(
      rows.map(({ partition, notes, status }) => ({ partition, notes, status })),
      systems.map(({ id, cpus }) => ({ partition: id, notes: cpus, status: 'complete' })),
    )
  })
})

function runLab(args: readonly string[]) {
  return spawnSync(process.execPath, [join(repositoryRoot, 'scripts/lab.ts'), ...args], {
    encoding: 'utf8',
    timeout: 300_000,
  })
}
