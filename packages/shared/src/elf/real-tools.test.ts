/** binutils' readelf and gdb read the files that our plans make: the judges of headers, notes and addresses. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { suite } from 'node:test'
import { locate, without, type CapabilityName } from '../../../../test/support/tools.ts'
import { byteLength, concat, fromAscii, rangeOf, realAddress } from '../units/index.ts'
import { patternAt, recognizableRegisters, TestMemory } from './core-builder.ts'
import { decodeCoreHeaders, encodeCoreHeaders } from './core-headers.ts'
import { CoreStreamReader } from './core-reader.ts'
import { noteTerminator } from './note.ts'
import { encodePrstatusNote } from './prstatus-ppc64.ts'
import { piecesOf } from './vmcore-lookup.ts'
import {
  modernVmcoreLayout,
  planVmcore,
  realNotesLength,
  v5VmcoreLayout,
  type VmcoreLayout,
} from './vmcore-plan.ts'
import {
  composeVmcoreinfo,
  encodeVmcoreinfoArea,
  vmcoreinfo,
  vmcoreinfoRules,
} from './vmcoreinfo.ts'

interface Machine {
  readonly name: string
  readonly generation: 'v5' | 'modern'
  readonly order: 'big' | 'little'
  readonly flags: number
  readonly layout: VmcoreLayout
  readonly pageSize: number
  /** Where old low memory [0, 64 KiB) is preserved, and where the other load begins. */
  readonly copyAt: bigint
  readonly upperAt: bigint
}

const machines: readonly Machine[] = [
  {
    name: 'a big-endian 3.4 kernel',
    generation: 'v5',
    order: 'big',
    flags: 0,
    layout: v5VmcoreLayout,
    pageSize: 65_536,
    copyAt: 0x20_37a0n,
    upperAt: 0x10_0000n,
  },
  {
    name: 'a little-endian 6.12 kernel with 64 KiB pages',
    generation: 'modern',
    order: 'little',
    flags: 2,
    layout: modernVmcoreLayout(65_536),
    pageSize: 65_536,
    copyAt: 0x20_0000n,
    upperAt: 0x10_02a8n,
  },
  {
    name: 'a little-endian 6.12 kernel with 4 KiB pages',
    generation: 'modern',
    order: 'little',
    flags: 2,
    layout: modernVmcoreLayout(4096),
    pageSize: 4096,
    copyAt: 0x20_1000n,
    upperAt: 0x10_12a8n,
  },
]

const cpus = [0, 1, 2].map((cpu) => ({ pid: cpu + 1, registers: recognizableRegisters(cpu) }))
const banner = 'Linux version of the crashed kernel'
const notesAt = 0x30_0000n
const vmcoreinfoAt = 0x31_0000n
const upperBytes = 0x5000

/** The file that a capture kernel of this machine presents. */
function vmcoreOf(machine: Machine): Uint8Array {
  const { order, layout, copyAt, upperAt } = machine
  const rules = vmcoreinfoRules(machine.generation, machine.pageSize)
  const entries = [vmcoreinfo.osRelease('lab'), vmcoreinfo.pageSize(machine.pageSize)]
  const areas = [
    concat([...cpus.map((cpu) => encodePrstatusNote(cpu, order)), noteTerminator]),
    encodeVmcoreinfoArea(composeVmcoreinfo(entries, rules), order, rules),
  ]
  const memory = new TestMemory()
  memory.apply([
    { address: 0n, bytes: fromAscii('memory of the capture kernel, not to be seen') },
    { address: copyAt, bytes: fromAscii(`${banner}\0`) },
    { address: upperAt, bytes: patternAt(upperAt, upperBytes) },
    { address: notesAt, bytes: areas[0] ?? assert.fail() },
    { address: vmcoreinfoAt, bytes: areas[1] ?? assert.fail() },
  ])
  const headers = decodeCoreHeaders(
    encodeCoreHeaders({
      order,
      flags: machine.flags,
      notes: [
        { address: realAddress(notesAt), length: byteLength(0x1_0000) },
        { address: realAddress(vmcoreinfoAt), length: byteLength(4096) },
      ],
      loads: [
        { physical: realAddress(0), address: realAddress(copyAt), length: byteLength(0x1_0000) },
        {
          physical: realAddress(upperAt),
          address: realAddress(upperAt),
          length: byteLength(upperBytes),
        },
      ],
    }),
  )
  const lengths = areas.map((area) => realNotesLength(area, order, layout).length)
  const plan = planVmcore(headers, lengths, layout)
  return concat(
    piecesOf(plan, rangeOf(0n, plan.size)).map(({ source, length }) => {
      if (source.from === 'bytes') return source.bytes
      if (source.from === 'zeros') return new Uint8Array(Number(length))
      return memory.bytes(source.address, Number(length))
    }),
  )
}

/** Runs a program with `arguments_` on the file, which stands for `FILE`. */
async function run(
  program: CapabilityName,
  arguments_: readonly string[],
  file: Uint8Array,
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'fadump-lab-elf-'))
  try {
    const path = join(directory, 'vmcore')
    await writeFile(path, file)
    const all = arguments_.map((each) => each.replace('FILE', path))
    const { status, stdout, stderr } = spawnSync(locate(program), all, { encoding: 'utf8' })
    assert.equal(status, 0, stderr)
    return { stdout, stderr }
  } finally {
    await rm(directory, { recursive: true })
  }
}

suite('readelf reads our vmcore', { skip: without('readelf') }, () => {
  for (const machine of machines) {
    test(`C100 C106 header, program headers and notes of ${machine.name}`, async () => {
      const { stdout, stderr } = await run('readelf', ['-hlnW', 'FILE'], vmcoreOf(machine))
      assert.equal(stderr, '')
      assert.match(stdout, /Class: +ELF64$/m)
      assert.match(stdout, new RegExp(`Data: +2's complement, ${machine.order} endian$`, 'm'))
      assert.match(stdout, /Type: +CORE \(Core file\)$/m)
      assert.match(stdout, /Machine: +PowerPC64$/m)
      assert.match(stdout, new RegExp(`Flags: +0x${machine.flags}`))
      assert.match(stdout, /Number of program headers: +3$/m)
      const notes = [...stdout.matchAll(/^ +(\w+) +0x([0-9a-f]+)\t(\S+)/gm)]
      assert.deepEqual(
        notes.map(([, owner, size, type]) => [owner, size, type]),
        [
          ...cpus.map(() => ['CORE', '000001f8', 'NT_PRSTATUS']),
          ['VMCOREINFO', machine.pageSize === 4096 ? '0000001c' : '0000001d', 'Unknown'],
        ],
      )
    })
  }

  test('C106 C109 file offsets: tight in 3.4, on pages with the sub-page part kept today', async () => {
    const rows = await Promise.all(
      machines.map(async (machine) => {
        const { stdout } = await run('readelf', ['-lW', 'FILE'], vmcoreOf(machine))
        return stdout
          .split('\n')
          .filter((line) => /^ +(?:NOTE|LOAD) /.test(line))
          .map((line) => line.trim().split(/\s+/).join(' '))
      }),
    )
    // Three CPU notes of 524 bytes and 56 (with 4 KiB pages 52) bytes of VMCOREINFO.
    assert.deepEqual(rows, [
      [
        'NOTE 0x0000e8 0x0000000000000000 0x0000000000000000 0x00065c 0x00065c 0',
        'LOAD 0x000744 0xc000000000000000 0x0000000000000000 0x010000 0x010000 RWE 0',
        'LOAD 0x010744 0xc000000000100000 0x0000000000100000 0x005000 0x005000 RWE 0',
      ],
      [
        'NOTE 0x010000 0x0000000000000000 0x0000000000000000 0x00065c 0x00065c 0x4',
        'LOAD 0x020000 0xc000000000000000 0x0000000000000000 0x010000 0x010000 RWE 0',
        'LOAD 0x0302a8 0xc0000000001002a8 0x00000000001002a8 0x005000 0x005000 RWE 0',
      ],
      [
        'NOTE 0x001000 0x0000000000000000 0x0000000000000000 0x000658 0x000658 0x4',
        'LOAD 0x002000 0xc000000000000000 0x0000000000000000 0x010000 0x010000 RWE 0',
        'LOAD 0x0122a8 0xc0000000001012a8 0x00000000001012a8 0x005000 0x005000 RWE 0',
      ],
    ])
  })
})

suite('gdb reads our vmcore', { skip: without('gdb-multiarch') }, () => {
  for (const machine of machines) {
    test(`C105 C106 every CPU is a thread with its registers: ${machine.name}`, async () => {
      const commands = [
        'core-file FILE',
        'info threads',
        'thread 2',
        'info registers r1 pc msr cr lr ctr xer',
        'x/s 0xc000000000000000',
        `x/8xb ${0xc000_0000_0000_0000n + machine.upperAt + 0x1234n}`,
      ]
      const arguments_ = ['-nx', '-batch', ...commands.flatMap((command) => ['-ex', command])]
      const { stdout } = await run('gdb-multiarch', arguments_, vmcoreOf(machine))
      assert.equal([...stdout.matchAll(/^[* ] \d+ +LWP \d/gm)].length, 3, stdout)
      // Thread 2 is CPU 1: registers 0x02000000000000ii.
      assert.match(stdout, /^r1 +0x200000000000001 /m)
      assert.match(stdout, /^pc +0x200000000000020 /m)
      assert.match(stdout, /^msr +0x200000000000021 /m)
      assert.match(stdout, /^lr +0x200000000000024 /m)
      assert.match(stdout, /^ctr +0x200000000000023 /m)
      assert.match(stdout, new RegExp(`"${banner}"`))
      const bytes = [...patternAt(machine.upperAt + 0x1234n, 8)]
      const shown = bytes.map((byte) => `0x${byte.toString(16).padStart(2, '0')}`).join('\t')
      assert.ok(stdout.includes(shown), stdout)
    })
  }
})

suite('our own reader', () => {
  for (const machine of machines) {
    test(`C105 C106 what goes into a vmcore comes out of it: ${machine.name}`, () => {
      const reader = new CoreStreamReader({ arrival: 'file-order', expectedOrder: machine.order })
      const memory = new TestMemory()
      memory.apply([...reader.push(0n, vmcoreOf(machine))])
      const contents = reader.end()
      assert.deepEqual(contents.cpus, cpus)
      assert.equal(contents.vmcoreinfo, `OSRELEASE=lab\nPAGESIZE=${machine.pageSize}\n`)
      assert.deepEqual(memory.bytes(0n, banner.length), fromAscii(banner))
    })
  }
})
