import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { z } from 'zod'
import { dispatch } from '../dispatch.ts'
import { estimateCommand, rehearseCommand, sweepCommand } from './rows.ts'

/** Runs a command line and keeps what it printed. */
async function lab(...words: string[]) {
  const lines: string[] = []
  const errors: string[] = []
  const out = (line: string): void => {
    lines.push(line)
  }
  const code = await dispatch(words, {
    commands: {
      estimate: estimateCommand(out),
      rehearse: rehearseCommand(out),
      sweep: sweepCommand(out),
    },
    out,
    error: (line) => errors.push(line),
  })
  return { code, text: lines.join('\n'), errors: errors.join('\n') }
}

describe('lab estimate', () => {
  const system = ['--memory', '4G', '--cpus', '8', '--nic', 'ehea', '--queues', '8']

  test('names minimum and recommendation as exact settings, next to what others reserve', async () => {
    const { code, text } = await lab('estimate', ...system, '--preset', '2011', '--page', '64K')
    assert.equal(code, 0)
    assert.match(text, /^minimum +fadump_reserve_mem=262M$/m)
    assert.match(text, /^recommended +fadump_reserve_mem=384M$/m)
    assert.match(text, /Linux: 5 percent, at least 320 MiB │ 320 │ pass/)
    assert.match(text, /RHEL and Fedora, fadump table +│ 776 │ pass/)
    assert.match(text, /SUSE, 5 percent for fadump +│ 205 │ fail/)
  })

  test('the same as JSON', async () => {
    const { text } = await lab('estimate', ...system, '--preset', '2011', '--json')
    const { minimumMiB, recommendedMiB } = z
      .looseObject({ minimumMiB: z.number(), recommendedMiB: z.number() })
      .parse(JSON.parse(text))
    assert.deepEqual([minimumMiB, recommendedMiB], [262, 384])
  })

  test('kdump has the table of kdump beside it', async () => {
    const { text } = await lab('estimate', '--memory', '4G', '--cpus', '8', '--mechanism', 'kdump')
    assert.match(text, /RHEL and Fedora, kdump table │ 520 │ pass/)
  })
})

describe('lab rehearse', () => {
  const power7 = ['--preset', '2011', '--memory', '2G', '--cpus', '20', '--nic', 'ehea']

  test('a dump that does not fit ends with 1 and tells the fix', async () => {
    const { code, text } = await lab('rehearse', ...power7, '--boot', '256M')
    assert.equal(code, 1)
    assert.match(text, /^fail: Out of memory in phase "link up": 272 MiB needed, 256 MiB/m)
    assert.match(text, /^ {2}ehea\.use_mcs=0$/m)
    assert.match(text, /^ {2}fadump_reserve_mem=274M \(18 MiB that production gives up\)$/m)
  })

  test('one that fits ends with 0 and shows every phase', async () => {
    const { code, text } = await lab('rehearse', ...power7, '--boot', '320M')
    assert.equal(code, 0)
    assert.match(text, /^pass: The dump fits into 320 MiB of boot memory/m)
    assert.match(text, /│ done +│/)
  })

  test('the same as JSON, with the sentence that every other place shows', async () => {
    const { text } = await lab('rehearse', ...power7, '--boot', '256M', '--json')
    const shape = z.looseObject({
      verdict: z.literal('fail'),
      explanation: z.string(),
      shortfallMiB: z.literal(18),
      fix: z.looseObject({ setting: z.literal('ehea.use_mcs=0') }),
    })
    assert.match(shape.parse(JSON.parse(text)).explanation, /^Out of memory in phase "link up"/)
  })
})

describe('lab sweep', () => {
  test('the band of 2011: which queue pairs fail with 256 and with 320 MiB', async () => {
    const { code, text } = await lab('sweep', '--example', '2011-band')
    assert.equal(code, 0)
    assert.match(text, /^256M {2}\. \. \. \. \. ! L L L L L L L L L L$/m)
    assert.match(text, /^320M {2}\. \. \. \. \. \. \. \. \. \. ! L L L L L$/m)
    assert.match(text, /^L +\d+ {2}fail: link up$/m)
  })

  test('today from 4 GiB to 64 TiB: nothing that Red Hat reserves is too small but for i40e', async () => {
    const { text } = await lab('sweep', '--example', 'today', '--json')
    const { tables } = z
      .looseObject({ tables: z.array(z.object({ z: z.string(), rows: z.array(z.string()) })) })
      .parse(JSON.parse(text))
    const redhat = tables.find((table) => table.z === 'redhat')
    assert.deepEqual(
      redhat?.rows.slice(0, 3),
      Array.from({ length: 3 }, () => '.'.repeat(15)),
    )
  })

  test('own axes, a third one, and a base from the options', async () => {
    const axes = ['--x', 'queues=1..4', '--y', 'boot=160M..192M:16M', '--z', 'target=ssh,local']
    const base = ['--preset', '2011', '--memory', '2G', '--cpus', '20', '--nic', 'ehea']
    const { code, text } = await lab('sweep', ...axes, ...base, '--json')
    assert.equal(code, 0)
    const { tables } = z.looseObject({ tables: z.array(z.unknown()) }).parse(JSON.parse(text))
    assert.deepEqual(tables, [
      { z: 'ssh', rows: ['LLLL', '!LLL', '.!LL'] },
      { z: 'local', rows: ['....', '....', '....'] },
    ])
  })

  test('doubling ranges, lists of names, page sizes', async () => {
    const axes = ['--x', 'memory=4G..64G:*2', '--y', 'page=4K,64K', '--json']
    const { text } = await lab('sweep', ...axes, '--cpus', '8', '--boot', '512M')
    const shape = z.looseObject({ axes: z.array(z.object({ values: z.array(z.number()) })) })
    assert.deepEqual(
      shape.parse(JSON.parse(text)).axes.map(({ values }) => values),
      [
        [4096, 8192, 16_384, 32_768, 65_536],
        [4, 64],
      ],
    )
  })

  test('the heat map is one SVG with a rectangle for every run of equal cells and a legend', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'fadump-sweep-'))
    try {
      const file = join(directory, 'band.svg')
      await lab('sweep', '--example', '2011-band', '--svg', file)
      const svg = await readFile(file, 'utf8')
      assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" width="\d+" height="\d+"/)
      assert.match(svg, /<\/svg>\n$/)
      assert.match(svg, />L {2}fail: link up</)
      assert.match(svg, />320M</)
      const plain = svg.replaceAll(/<[^<>]*>/g, '')
      assert.doesNotMatch(plain, /[<>]/)
    } finally {
      await rm(directory, { recursive: true })
    }
  })
})

describe('a command line that is wrong ends with 64 and tells what would be right', () => {
  const machine = ['--memory', '4G', '--cpus', '8']
  const refused: Readonly<Record<string, [words: string[], message: RegExp]>> = {
    'a size without a unit': [
      ['estimate', '--memory', '4', '--cpus', '8'],
      /--memory "4": memory of the partition; valid: a size like 320M, 4G or 64T/,
    ],
    'an unknown card': [
      ['estimate', ...machine, '--nic', 'e1000'],
      /--nic "e1000": .*; valid: ehea, ibmveth, ibmvnic, mlx5, i40e, virtio, none/,
    ],
    'negative queues': [
      ['estimate', ...machine, '--nic', 'ehea', '--queues=-3'],
      /--queues "-3": .*; valid: a whole number from 1 to 128/,
    ],
    'boot memory above memory': [
      ['rehearse', ...machine, '--boot', '8G'],
      /--boot 8192: boot memory is a part of memory; valid: less than the 4096 MiB/,
    ],
    'a network target without a card': [
      ['rehearse', ...machine, '--target', 'nfs'],
      /--nic missing: a dump to this target needs a network card/,
    ],
    'no memory and no CPUs': [['estimate'], /--memory missing[\s\S]*--cpus missing/],
    'a partition without its console': [
      ['rehearse', 'p1'],
      /"p1" is a partition: name its console with --api, or describe a system/,
    ],
    'arguments for the capture boot of a described system': [
      ['rehearse', ...machine, '--append', 'nr_cpus=1'],
      /--append is for a partition/,
    ],
    'a page size that Power has not': [
      ['estimate', ...machine, '--page', '16K'],
      /--page "16K": .*; valid: 4, 64/,
    ],
    'a switch that is neither on nor off': [
      ['estimate', ...machine, '--multiqueue', 'maybe'],
      /--multiqueue "maybe": .*; valid: on, off/,
    ],
    'a sweep without axes': [
      ['sweep', ...machine],
      /a sweep needs --x and --y, or --example with one of 2011-band, today/,
    ],
    'an unknown example': [
      ['sweep', '--example', '2012'],
      /no example "2012"; the examples are 2011-band, today/,
    ],
    'an axis of nothing': [
      ['sweep', '--x', 'colour=red', '--y', 'boot=320M', ...machine],
      /"colour=red" is no axis: write OPTION=FIRST\.\.LAST.*options: preset, /,
    ],
    'a factor that does not grow': [
      ['sweep', '--x', 'memory=4G..8G:*1', '--y', 'boot=320M', ...machine],
      /\*1 is no factor: give a number above 1/,
    ],
    'a step that does not grow': [
      ['sweep', '--x', 'queues=1..8:0', '--y', 'boot=320M', ...machine],
      /an axis from 1 to 8 has more than 100000 values/,
    ],
    'the same axis twice': [
      ['sweep', '--x', 'queues=1..2', '--y', 'queues=1..2', ...machine, '--nic', 'ehea'],
      /every axis has a setting of its own/,
    ],
  }
  for (const [what, [words, message]] of Object.entries(refused)) {
    test(what, async () => {
      const { code, text, errors } = await lab(...words)
      assert.equal(code, 64, errors)
      assert.match(errors, message)
      assert.equal(text, '')
    })
  }
})
