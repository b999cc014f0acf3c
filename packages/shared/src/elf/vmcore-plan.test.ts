import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { byteLength, concat, fromHex, rangeOf, realAddress } from '../units/index.ts'
import { decodeCoreHeaders, encodeCoreHeaders, type CoreHeaders } from './core-headers.ts'
import { encodeNote, noteTerminator } from './note.ts'
import { encodePrstatusNote } from './prstatus-ppc64.ts'
import { piecesOf } from './vmcore-lookup.ts'
import { modernVmcoreLayout, planVmcore, realNotesLength, v5VmcoreLayout } from './vmcore-plan.ts'

/** The elfcorehdr of a modern kernel: boot memory preserved at `copyAt`, the rest from `reserveEnd` to `memoryEnd`. */
function modernHeaders(machine: {
  readonly bootMemory: bigint
  readonly copyAt: bigint
  readonly reserveEnd: bigint
  readonly memoryEnd: bigint
}): CoreHeaders {
  const { bootMemory, copyAt, reserveEnd, memoryEnd } = machine
  return decodeCoreHeaders(
    encodeCoreHeaders({
      order: 'little',
      flags: 2,
      notes: [
        { address: realAddress(0x300_0000), length: byteLength(0x1_0000) },
        { address: realAddress(copyAt + 0x279_0000n), length: byteLength(65_572) },
      ],
      loads: [
        { physical: realAddress(0), address: realAddress(copyAt), length: byteLength(bootMemory) },
        {
          physical: realAddress(reserveEnd),
          address: realAddress(reserveEnd),
          length: byteLength(memoryEnd - reserveEnd),
        },
      ],
    }),
  )
}

const GiB = 0x4000_0000n
const boot320 = { bootMemory: 0x1400_0000n, copyAt: 0x1401_0000n, reserveEnd: 0x2801_02a8n }

/** Linux 7.2 under QEMU pseries: what `ls -l /proc/vmcore` and readelf said. */
const observed = [
  {
    what: '1 GiB, 2 CPUs, 64 KiB pages',
    pageSize: 65_536,
    headers: modernHeaders({ ...boot320, memoryEnd: GiB }),
    notes: [0x418, 0xd9c],
    size: 738_263_040n,
    loads: [
      [0x2_0000n, 0x1400_0000n],
      [0x1402_02a8n, 0x17fe_fd58n],
    ],
    note: [0x1_0000n, 0x11b4n],
  },
  {
    what: '2 GiB, 2 CPUs, 64 KiB pages',
    pageSize: 65_536,
    headers: modernHeaders({ ...boot320, memoryEnd: 2n * GiB }),
    notes: [0x418, 0xd9c],
    size: 1_812_004_864n,
    loads: [
      [0x2_0000n, 0x1400_0000n],
      [0x1402_02a8n, 0x57fe_fd58n],
    ],
    note: [0x1_0000n, 0x11b4n],
  },
  {
    what: '2 GiB and 1 GiB hot-added, 64 KiB pages',
    pageSize: 65_536,
    headers: modernHeaders({ ...boot320, memoryEnd: 3n * GiB }),
    notes: [0x418, 0xd9c],
    size: 2_885_746_688n,
    loads: [
      [0x2_0000n, 0x1400_0000n],
      [0x1402_02a8n, 0x97fe_fd58n],
    ],
    note: [0x1_0000n, 0x11b4n],
  },
  {
    what: '4 GiB, crashkernel=512M, 4 CPUs, 64 KiB pages',
    pageSize: 65_536,
    headers: modernHeaders({
      bootMemory: 0x2000_0000n,
      copyAt: 0x2001_0000n,
      reserveEnd: 0x4001_02a8n,
      memoryEnd: 4n * GiB,
    }),
    notes: [0x830, 0xd9c],
    size: 3_758_161_920n,
    loads: [
      [0x2_0000n, 0x2000_0000n],
      [0x2002_02a8n, 0xbffe_fd58n],
    ],
    note: [0x1_0000n, 0x15ccn],
  },
  {
    what: '1 GiB, 2 CPUs, 4 KiB pages',
    pageSize: 4096,
    headers: modernHeaders({
      bootMemory: 0x1400_0000n,
      copyAt: 0x1400_1000n,
      reserveEnd: 0x2800_12a8n,
      memoryEnd: GiB,
    }),
    // The descriptor of VMCOREINFO has 3461 bytes here.
    notes: [0x418, 24 + 3464],
    size: 738_205_696n,
    loads: [
      [0x3000n, 0x1400_0000n],
      [0x1400_32a8n, 0x17ff_ed58n],
    ],
    note: [0x1000n, 0x11b8n],
  },
] as const

suite('/proc/vmcore of a modern kernel', () => {
  for (const { what, pageSize, headers, notes, size, loads, note } of observed) {
    test(`C106 C109 page-aligned parts, file size and sub-page offset: ${what}`, () => {
      const plan = planVmcore(headers, notes, modernVmcoreLayout(pageSize))
      assert.equal(plan.size, size)
      const [merged, ...rest] = plan.programHeaders
      assert.deepEqual([merged?.offset, merged?.fileSize, merged?.align], [...note, 4n])
      assert.deepEqual(
        rest.map((header) => [header.offset, header.memorySize]),
        loads,
      )
    })
  }

  test('C100 C106 the headers are byte for byte those of a real vmcore', () => {
    const plan = planVmcore(observed[0].headers, observed[0].notes, modernVmcoreLayout(65_536))
    // The first 232 bytes of /proc/vmcore of Linux 7.2.12 ppc64le, 1 GiB, 2 CPUs, and the zeros behind.
    const real = fromHex(`
      7f454c46020101000000000000000000 04001500010000000000000000000000
      40000000000000000000000000000000 02000000400038000300000000000000
      04000000000000000000010000000000 00000000000000000000000000000000
      b411000000000000b411000000000000 04000000000000000100000007000000
      000002000000000000000000000000c0 00000000000000000000001400000000
      00000014000000000000000000000000 0100000007000000a802021400000000
      a8020128000000c0a802012800000000 58fdfe170000000058fdfe1700000000
      0000000000000000`)
    const [headers, fill] = plan.segments
    assert.deepEqual(headers?.source, { from: 'bytes', bytes: real })
    assert.deepEqual(fill, {
      fileOffset: 232n,
      length: 0x1_0000n - 232n,
      source: { from: 'zeros' },
    })
  })

  test('C109 a load brings the whole pages that it touches', () => {
    const plan = planVmcore(observed[0].headers, observed[0].notes, modernVmcoreLayout(65_536))
    assert.deepEqual(plan.segments.at(-1), {
      fileOffset: 0x1402_0000n,
      length: 0x17ff_0000n,
      source: { from: 'memory', address: 0x2801_0000n },
    })
  })

  test('an all-zero program header of the kernel is carried over (PT_NULL)', () => {
    const headers = observed[0].headers
    const empty = { ...zeroHeader }
    const withNull = { ...headers, programHeaders: [...headers.programHeaders, empty] }
    const plan = planVmcore(withNull, observed[0].notes, modernVmcoreLayout(65_536))
    assert.deepEqual(plan.programHeaders.at(-1), zeroHeader)
    assert.equal(plan.programHeaders.length, 4)
    assert.equal(plan.size, observed[0].size)
  })
})

const zeroHeader = {
  type: 0,
  flags: 0,
  offset: 0n,
  virtualAddress: 0n,
  physicalAddress: 0n,
  fileSize: 0n,
  memorySize: 0n,
  align: 0n,
}

suite('/proc/vmcore of a 3.4 kernel', () => {
  /** fadump.md §8.4: 4 GiB, 8 CPUs. VMCOREINFO of 1000 bytes. */
  const headers = decodeCoreHeaders(
    encodeCoreHeaders({
      order: 'big',
      flags: 0,
      notes: [
        { address: realAddress(0x25a_0000), length: byteLength(0x1_0000) },
        { address: realAddress(0xee7a_37a0n), length: byteLength(4096) },
      ],
      loads: [
        {
          physical: realAddress(0),
          address: realAddress(0xebff_37a0n),
          length: byteLength(0x1400_0000),
        },
        {
          physical: realAddress(0x1400_0000),
          address: realAddress(0x1400_0000),
          length: byteLength(0xebff_0000n - 0x1400_0000n),
        },
      ],
    }),
  )
  const plan = planVmcore(headers, [4192, 24 + 1000], v5VmcoreLayout)

  test('C106 one merged PT_NOTE first; header 232, 8 notes 4192, size = headers + notes + loads', () => {
    assert.equal(plan.size, 232n + 4192n + 24n + 1000n + 0xebff_0000n)
    assert.deepEqual(plan.programHeaders[0], {
      ...zeroHeader,
      type: 4,
      offset: 232n,
      fileSize: 5216n,
      memorySize: 5216n,
    })
  })

  test('C106 PT_LOAD 0 reads the preserved copy, not the capture kernel’s own low memory', () => {
    assert.deepEqual(
      plan.programHeaders.slice(1).map((header) => [header.offset, header.physicalAddress]),
      [
        [5448n, 0n],
        [5448n + 0x1400_0000n, 0x1400_0000n],
      ],
    )
    assert.deepEqual(piecesOf(plan, rangeOf(5448n + 0x1000n, 8n)), [
      {
        fileOffset: 5448n + 0x1000n,
        length: 8n,
        source: { from: 'memory', address: 0xebff_37a0n + 0x1000n },
      },
    ])
  })

  test('C106 everything lies back to back: headers, CPU notes, VMCOREINFO, loads', () => {
    assert.deepEqual(
      plan.segments.map(({ fileOffset, length, source }) => [
        fileOffset,
        length,
        source.from === 'memory' ? source.address : source.from,
      ]),
      [
        [0n, 232n, 'bytes'],
        [232n, 4192n, 0x25a_0000n],
        [4424n, 1024n, 0xee7a_37a0n],
        [5448n, 0x1400_0000n, 0xebff_37a0n],
        [5448n + 0x1400_0000n, 0xd7ff_0000n, 0x1400_0000n],
      ],
    )
  })
})

suite('real length of a note area', () => {
  const cpu = encodePrstatusNote({ pid: 0, registers: [] }, 'big')

  test('C105 the notes end at the terminator, whatever the page-aligned buffer holds behind', () => {
    const area = concat([cpu, cpu, noteTerminator, new Uint8Array(65_536 - 1060).fill(0xee)])
    assert.deepEqual(realNotesLength(area, 'big', v5VmcoreLayout), { length: 1048, dropped: false })
  })

  test('C109 a note beyond p_memsz is dropped today and counted in full by 3.4', () => {
    const long = encodeNote(
      { name: 'VMCOREINFO', type: 0, descriptor: new Uint8Array(4096) },
      'big',
    )
    // p_memsz is 4096, 36 bytes short of the whole note: fadump.md §8.2.
    const area = long.subarray(0, 4096)
    assert.deepEqual(realNotesLength(area, 'big', modernVmcoreLayout(65_536)), {
      length: 0,
      dropped: true,
    })
    assert.deepEqual(realNotesLength(area, 'big', v5VmcoreLayout), { length: 4120, dropped: false })
  })

  test('an empty area has no notes', () => {
    assert.deepEqual(realNotesLength(new Uint8Array(0), 'big', v5VmcoreLayout), {
      length: 0,
      dropped: false,
    })
    assert.equal(realNotesLength(new Uint8Array(4096), 'little', v5VmcoreLayout).length, 0)
  })
})

suite('planning from corrupted headers', () => {
  const headers = observed[0].headers
  const change = (index: number, change: object): CoreHeaders => ({
    ...headers,
    programHeaders: headers.programHeaders.map((header, at) =>
      at === index ? { ...header, ...change } : header,
    ),
  })
  for (const [what, broken] of [
    ['a load of 2^64 - 1 bytes', change(2, { memorySize: 2n ** 64n - 1n })],
    ['a load that ends beyond 2^63', change(3, { offset: 2n ** 63n - 1n })],
    ['notes that end beyond 2^63', change(0, { offset: 2n ** 63n })],
  ] as const) {
    test(`C107 ${what} is refused`, () => {
      assert.throws(() => planVmcore(broken, [0x418, 0xd9c], modernVmcoreLayout(65_536)), {
        rule: 'beyondAddressSpace',
      })
    })
  }

  test('a length per PT_NOTE is needed', () => {
    assert.throws(() => planVmcore(headers, [0x418], v5VmcoreLayout), { name: 'InvariantError' })
  })
})
