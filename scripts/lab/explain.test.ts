import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { truthBytes } from '../../test/fixtures/truth/index.ts'
import { repositoryRoot } from '../../test/support/tools.ts'
import { dispatch } from './dispatch.ts'
import { explainCommand } from './explain/row.ts'

const truth = (file: string) => join(repositoryRoot, 'test/fixtures/truth', file)

/** Runs `./lab explain WORDS` in this process. */
async function run(...words: string[]) {
  const lines: string[] = []
  const errors: string[] = []
  const code = await dispatch(['explain', ...words], {
    commands: { explain: explainCommand((line) => lines.push(line)) },
    out: (line) => lines.push(line),
    error: (line) => errors.push(line),
  })
  return { code, lines, text: lines.join('\n'), errors: errors.join('\n') }
}

let directory = ''
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fadump-explain-'))
})
after(() => rm(directory, { recursive: true, force: true }))

async function aFile(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(directory, name)
  await writeFile(path, bytes)
  return path
}

describe('a structure in a file', () => {
  const shown: Readonly<Record<string, readonly [file: string, line: RegExp]>> = {
    fdm: ['fdm-registered.bin', /^ {2}0004 {2}0004 +dump_num_sections .*4 sections follow/m],
    regsave: ['regsave.bin', /^ {2}08b4 {2}4e4941\w+ {2}NIA +0x000000002fff0010 {2}pt_regs\.nip/m],
    'crash-info': ['fadumphdr-second.bin', /crashing_cpu .* CPU 1 crashed$/m],
    elf: ['vmcore-head.bin', /OSRELEASE +7\.2\.12-truth64k/],
    fdt: ['second.dtb', /dump_status_flag .*dump performed/],
  }
  for (const [kind, [file, line]] of Object.entries(shown)) {
    test(`${kind} is printed field by field`, async () => {
      const { code, text, errors } = await run(kind, truth(file))
      assert.equal(errors, '')
      assert.equal(code, 0)
      assert.match(text, line)
    })
  }

  test('--cpu N shows that CPU alone', async () => {
    const { code, lines } = await run('regsave', truth('regsave.bin'), '--cpu', '1')
    assert.equal(code, 0)
    const told = lines.filter((line) => /^CPU|more CPU/.test(line)).map((line) => line.trim())
    assert.deepEqual(told, [
      'CPU 1, number 2 of 2: 77 registers',
      '(1 more CPU is not shown (0): --cpu N shows it in full)',
    ])
  })

  test('--json prints the same as data, bytes in hexadecimal', async () => {
    const { code, text } = await run('fdm', truth('fdm-registered.bin'), '--json')
    const { kind, parts } = JSON.parse(text) as {
      kind: string
      parts: { title: string; fields: unknown[] }[]
    }
    assert.deepEqual([code, kind, parts.length], [0, 'fdm', 6])
    assert.deepEqual(parts[1]?.fields[4], {
      offset: 0x38,
      bytes: '0000000000000a00',
      name: 'source_len',
      path: 'sections[0].source_len',
      value: '0x0000000000000a00',
      meaning: '2560 bytes are asked for',
    })
  })

  test('of a vmcore the headers and notes are read, however large it is', async () => {
    const path = await aFile('vmcore', truthBytes('vmcore-head.bin'))
    await truncate(path, 64 * 2 ** 30)
    const { code, lines } = await run('elf', path)
    assert.equal(code, 0)
    assert.deepEqual(lines, (await run('elf', truth('vmcore-head.bin'))).lines)
  })
})

describe('what cannot be explained', () => {
  test('bytes of something else end with 65 and are told by place, rule and value', async () => {
    const { code, errors } = await run('regsave', truth('second.dtb'))
    assert.equal(code, 65)
    assert.match(
      errors,
      /second\.dtb is no whole regsave: at offset 0x0: expected 5245475341564500 .*; found d00dfeed.*explain it as fdt$/,
    )
  })

  test('what is readable of a cut structure is printed first', async () => {
    const path = await aFile('cut', truthBytes('fdm-registered.bin').subarray(0, 100))
    const { code, text, errors } = await run('fdm', path)
    assert.equal(code, 65)
    assert.match(text, /sections\[0\]: CPU state data/)
    assert.match(errors, /at offset 0x50: expected the 40 bytes .*; found 20 bytes$/)
  })

  test('with --json the defect is in the data as well', async () => {
    const path = await aFile('empty', new Uint8Array(0))
    const { code, text } = await run('fdt', path, '--json')
    assert.equal(code, 65)
    assert.match((JSON.parse(text) as { defect: string }).defect, /^at offset 0x0: .*nothing$/)
  })

  test('a file beyond 16 MiB ends with 65 unless it is a vmcore', async () => {
    const path = await aFile('large', new Uint8Array(16 * 2 ** 20 + 1))
    const { code, errors } = await run('fdm', path)
    assert.equal(code, 65)
    assert.match(errors, /has more than 16777216 bytes, the most that are read as fdm$/)
  })

  test('a file that is not there, or a directory, ends with 66 and tells of --api', async () => {
    for (const path of [join(directory, 'none'), directory]) {
      const { code, errors } = await run('fdm', path)
      assert.equal(code, 66)
      assert.match(errors, /cannot be read \(E\w+: .*\); for a partition give --api URL/)
      assert.equal(errors.split('\n').length, 1)
    }
  })

  test('a console that does not answer ends with 75', async () => {
    const { code, errors } = await run('fdm', 'p1', '--api', 'http://127.0.0.1:9')
    assert.equal(code, 75)
    assert.match(errors, /GET http:\/\/127\.0\.0\.1:9\/v1\/partitions\/p1\/structures\/fdm got no/)
  })

  const wrong: Readonly<Record<string, readonly [words: readonly string[], errors: RegExp]>> = {
    'no structure': [[], /"" is no structure; the structures are fdm \(.*rtas \(/],
    'an unknown structure': [['fdn', 'x'], /"fdn" is no structure; the structures are fdm/],
    'the name of an inherited property': [['toString', 'x'], /"toString" is no structure/],
    'no file': [['fdm'], /explain fdm takes one file or partition, not 0/],
    'two files': [['fdm', 'x', 'y'], /explain fdm takes one file or partition, not 2/],
    'a CPU of a structure without CPUs': [
      ['fdm', 'x', '--cpu', '0'],
      /--cpu is for regsave, elf, fdt: fdm has no list of CPUs/,
    ],
    'a CPU that is no number': [['regsave', 'x', '--cpu', '0x1'], /"0x1" is no CPU/],
    'a CPU beyond all': [['regsave', 'x', '--cpu', '65536'], /"65536" is no CPU/],
    'an address without a scheme': [
      ['fdm', 'p', '--api', '127.0.0.1:80'],
      /"127\.0\.0\.1:80" is no address of a console: give http:\/\/HOST:PORT/,
    ],
    'a structure that no partition keeps': [
      ['rtas', 'p', '--api', 'http://127.0.0.1:9'],
      /rtas is explained from a file only/,
    ],
  }
  for (const [what, [words, message]] of Object.entries(wrong)) {
    test(`${what} ends with 64 and names what would be right`, async () => {
      const { code, lines, errors } = await run(...words)
      assert.equal(code, 64)
      assert.deepEqual(lines, [])
      assert.match(errors, message)
    })
  }
})

test('a reader that closes early, such as head, is no failure', async () => {
  const node = JSON.stringify(process.execPath)
  const script = `${node} scripts/lab.ts explain fdt ${truth('second.dtb')} | head -n 1`
  const { stdout, stderr } = await promisify(execFile)(
    'bash',
    ['-c', `set -o pipefail; ${script}`],
    { cwd: repositoryRoot },
  )
  assert.equal(stdout, 'fdt_header\n')
  assert.equal(stderr, '')
})
