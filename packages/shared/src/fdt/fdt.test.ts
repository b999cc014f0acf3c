import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { truthBytes } from '../../../../test/fixtures/truth/index.ts'
import { without } from '../../../../test/support/tools.ts'
import { fromHex, toHex, viewOf } from '../units/index.ts'
import {
  decodeDeviceTree,
  deviceNode,
  DeviceTreeError,
  emptyProperty,
  encodeDeviceTree,
  findNode,
  fromCells,
  fromCells64,
  fromText,
  fromTextList,
  nodeDepthMax,
  toCells,
  toCells64,
  toText,
  toTextList,
  type DeviceNode,
} from './index.ts'

/** Laid out by hand from the Devicetree Specification, chapter 5. */
const smallBlob = fromHex(`
  d00dfeed 00000097 00000038 00000088 00000028 00000011 00000010 00000000 0000000f 00000050
  0000000000000000 0000000000000000
  00000001 00000000
    00000003 00000004 00000000 00000002
    00000001 72746173 00000000
      00000003 00000000 00000007
      00000003 00000005 0000000b 6e6f7700 00000000
    00000002
  00000002
  00000009
  2363656c6c7300 782c7900 613f6200`)
const structureOffset = 0x38

const small = deviceNode('', { '#cells': fromCells(2) }, [
  deviceNode('rtas', { 'x,y': emptyProperty, 'a?b': fromTextList(['now', '']) }),
])

/** The small blob with one byte or word changed. */
function damaged(change: (view: DataView) => void): Uint8Array {
  const blob = smallBlob.slice()
  change(viewOf(blob))
  return blob
}

describe('a device tree blob', () => {
  test('is laid out as the specification draws it', () => {
    assert.equal(toHex(encodeDeviceTree({ root: small })), toHex(smallBlob))
  })

  test('decodes to the tree it was made from', () => {
    assert.deepEqual(decodeDeviceTree(smallBlob), { root: small, reservations: [], bootCpu: 0 })
  })

  test('may have bytes behind it', () => {
    const longer = new Uint8Array(smallBlob.byteLength + 100).fill(0xff)
    longer.set(smallBlob)
    assert.deepEqual(decodeDeviceTree(longer).root, small)
  })

  test('keeps reservations and the boot CPU', () => {
    const reservations = [{ address: 0x40_0000n, size: 0x159_e6c0n }]
    const blob = encodeDeviceTree({ root: small, reservations, bootCpu: 7 })
    assert.deepEqual(decodeDeviceTree(blob), { root: small, reservations, bootCpu: 7 })
  })

  test('is read by dtc', { skip: without('dtc') }, () => {
    const source = execFileSync('dtc', ['-q', '-I', 'dtb', '-O', 'dts', '-'], {
      input: encodeDeviceTree({ root: small, reservations: [{ address: 16n, size: 32n }] }),
      encoding: 'utf8',
    })
    assert.match(source, /\/memreserve\/\s+0x0*10 0x0*20;/)
    assert.match(source, /#cells = <0x02>;/)
    assert.match(source, /rtas \{\s+x,y;\s+a\?b = "now\\0";\s+\};/)
  })
})

describe('the trees of a real partition', () => {
  // Nodes and properties as dtc counts them.
  for (const [file, nodes, properties] of [
    ['first.dtb', 16, 229],
    ['second.dtb', 16, 230],
  ] as const) {
    test(`${file} keeps every node and property through decode and encode`, () => {
      const tree = decodeDeviceTree(truthBytes(file))
      assert.deepEqual(decodeDeviceTree(encodeDeviceTree(tree)), tree)
      assert.deepEqual(count(tree.root), { nodes, properties })
    })

    test(`${file} says the same to dtc after decode and encode`, { skip: without('dtc') }, () => {
      const sourceOf = (blob: Uint8Array): string =>
        execFileSync('dtc', ['-q', '-I', 'dtb', '-O', 'dts', '-'], {
          input: blob,
          encoding: 'utf8',
        })
      const blob = truthBytes(file)
      assert.equal(sourceOf(encodeDeviceTree(decodeDeviceTree(blob))), sourceOf(blob))
    })
  }

  test('the first boot has the dump properties and no dump', () => {
    const rtas = findNode(decodeDeviceTree(truthBytes('first.dtb')).root, '/rtas')
    const valueOf = (name: string): string | undefined => {
      const value = rtas?.properties.get(name)
      return value === undefined ? undefined : toHex(value)
    }
    assert.equal(valueOf('ibm,configure-kernel-dump'), '0000202d')
    assert.equal(
      valueOf('ibm,configure-kernel-dump-sizes'),
      '000000010000000000000a00000000020000000000000000',
    )
    assert.equal(valueOf('ibm,configure-kernel-dump-version'), '01000100')
    assert.equal(valueOf('ibm,os-term'), '0000201f')
    assert.equal(valueOf('ibm,extended-os-term'), '')
    assert.equal(valueOf('linux,rtas-base'), '2fff0000')
    assert.equal(valueOf('rtas-size'), '0000083c')
    assert.equal(valueOf('ibm,kernel-dump'), undefined)
  })

  test('the capture boot has ibm,kernel-dump with status 0xC000', () => {
    const rtas = findNode(decodeDeviceTree(truthBytes('second.dtb')).root, '/rtas')
    const dump = rtas?.properties.get('ibm,kernel-dump')
    assert.equal(dump?.byteLength, 200)
    assert.equal(toHex(dump?.subarray(0, 16) ?? emptyProperty), '000000010004c0000000002800000000')
  })

  test('paths find nodes with and without a unit address', () => {
    const { root } = decodeDeviceTree(truthBytes('first.dtb'))
    assert.equal(findNode(root, '/'), root)
    assert.equal(findNode(root, '/memory@0'), findNode(root, '/memory'))
    assert.deepEqual(toCells64(findNode(root, '/memory')?.properties.get('reg') ?? emptyProperty), [
      0n,
      0x8000_0000n,
    ])
    assert.equal(findNode(root, '/cpus/PowerPC,POWER9@1')?.name, 'PowerPC,POWER9@1')
    assert.equal(findNode(root, '/cpus/PowerPC,POWER9@2'), undefined)
    assert.equal(findNode(root, '/rtas/nothing'), undefined)
    assert.throws(() => findNode(root, 'rtas'), /"rtas" is not absolute/)
  })
})

describe('a malformed blob is refused', () => {
  const cases: readonly (readonly [what: string, blob: Uint8Array, message: RegExp])[] = [
    ['39 bytes', smallBlob.subarray(0, 39), /header of 40 bytes, there are 39/],
    ['another magic', damaged((view) => view.setUint32(0, 0xd00d_feee)), /magic is 0xd00dfeee/],
    ['version 16', damaged((view) => view.setUint32(20, 16)), /version 16/],
    ['incompatible version 18', damaged((view) => view.setUint32(24, 18)), /compatible with 18/],
    ['totalsize + 1', damaged((view) => view.setUint32(4, 0x98)), /totalsize is 152/],
    ['a blob of more than 2 MiB', largeBlob(), /at most 2097152/],
    [
      'a structure block past the end',
      damaged((view) => view.setUint32(36, 0x60)),
      /structure block \[56, 152\)/,
    ],
    ['a strings block past the end', damaged((view) => view.setUint32(32, 0x10)), /strings block/],
    [
      'a structure block inside the header',
      damaged((view) => view.setUint32(8, 0x20)),
      /structure block/,
    ],
    [
      'a structure block of 79 bytes',
      damaged((view) => view.setUint32(36, 0x4f)),
      /not whole cells/,
    ],
    [
      'reservations without an end',
      damaged((view) => view.setUint32(16, 0x90)),
      /no terminating entry/,
    ],
    [
      'a name outside the strings',
      damaged((view) => view.setUint32(structureOffset + 16, 15)),
      /name at offset 15/,
    ],
    [
      'a property past the end',
      damaged((view) => view.setUint32(structureOffset + 12, 0xffff_fff0)),
      /has 4294967280 bytes/,
    ],
    [
      'an unknown token',
      damaged((view) => view.setUint32(structureOffset + 76, 5)),
      /unknown token 0x5/,
    ],
    ['no end token', damaged((view) => view.setUint32(structureOffset + 76, 4)), /no end token/],
    [
      'an end inside a node',
      damaged((view) => view.setUint32(structureOffset + 72, 9)),
      /ends inside a node/,
    ],
    [
      'a property outside any node',
      damaged((view) => view.setUint32(structureOffset, 3)),
      /outside any node/,
    ],
    [
      'a node end without a node',
      damaged((view) => view.setUint32(structureOffset, 2)),
      /never began/,
    ],
    [
      'two properties of one name',
      damaged((view) => view.setUint32(structureOffset + 56, 7)),
      /two properties x,y/,
    ],
    [
      'a named root',
      damaged((view) => view.setUint8(structureOffset + 4, 0x61)),
      /root node is named a/,
    ],
  ]
  for (const [what, blob, message] of cases) {
    test(what, () => {
      assert.throws(
        () => decodeDeviceTree(blob),
        (error) => {
          assert.ok(error instanceof DeviceTreeError)
          assert.match(error.message, message)
          return true
        },
      )
    })
  }

  test('whatever a blob says, decoding ends with a tree or a DeviceTreeError', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(smallBlob.byteLength - 1), fc.nat(255)), {
          minLength: 1,
          maxLength: 6,
        }),
        (changes) => {
          const blob = smallBlob.slice()
          for (const [offset, value] of changes) blob[offset] = value
          try {
            decodeDeviceTree(blob)
          } catch (error) {
            assert.ok(error instanceof DeviceTreeError)
          }
        },
      ),
      { numRuns: 500 },
    )
  })
})

describe('nesting', () => {
  test(`${nodeDepthMax} levels pass, one more is refused by both codecs`, () => {
    const deepest = encodeDeviceTree({ root: nested(nodeDepthMax) })
    assert.deepEqual(decodeDeviceTree(deepest).root, nested(nodeDepthMax))
    assert.throws(() => encodeDeviceTree({ root: nested(nodeDepthMax + 1) }), /65 levels deep/)
    assert.throws(() => decodeDeviceTree(nestedBlob(nodeDepthMax + 1)), /deeper than 64 levels/)
  })
})

describe('names that the format excludes are refused', () => {
  const cases: readonly (readonly [root: DeviceNode, message: RegExp])[] = [
    [deviceNode('named'), /root node has no name/],
    [deviceNode('', {}, [deviceNode('')]), /"" in \/ is no node name/],
    [deviceNode('', {}, [deviceNode('a b')]), /"a b" in \//],
    [deviceNode('', {}, [deviceNode('a'.repeat(64))]), /is no node name/],
    [deviceNode('', {}, [deviceNode('a'), deviceNode('a')]), /two children named a/],
    [deviceNode('', { 'a b': emptyProperty }), /"a b" is no property name/],
    [deviceNode('', { ['p'.repeat(64)]: emptyProperty }), /is no property name/],
    [deviceNode('', { big: new Uint8Array(2_097_152) }), /at most 2097152/],
  ]
  for (const [root, message] of cases) {
    test(message.source, () => assert.throws(() => encodeDeviceTree({ root }), message))
  }
})

describe('property values', () => {
  test('cells are big-endian', () => {
    assert.equal(toHex(fromCells(1, 0x2000_002d)), '000000012000002d')
    assert.equal(toHex(fromCells64(0x1_0000_0002n)), '0000000100000002')
    assert.deepEqual(toCells(fromHex('00000001ffffffff')), [1, 0xffff_ffff])
    assert.deepEqual(toCells64(fromHex('ffffffffffffffff')), [0xffff_ffff_ffff_ffffn])
    assert.throws(() => fromCells(2 ** 32), RangeError)
    assert.throws(() => fromCells64(-1n), RangeError)
    assert.throws(() => toCells(new Uint8Array(6)), /6 bytes is not made of 4-byte values/)
    assert.throws(() => toCells64(new Uint8Array(12)), /12 bytes is not made of 8-byte values/)
  })

  test('texts carry their NUL', () => {
    assert.equal(toHex(fromText('chrp')), '6368727000')
    assert.equal(toText(fromHex('6368727000')), 'chrp')
    assert.deepEqual(toTextList(fromHex('610062630000')), ['a', 'bc', ''])
    assert.deepEqual(toTextList(emptyProperty), [])
    assert.throws(() => toText(fromHex('6368')), /must end with NUL/)
    assert.throws(() => toText(fromHex('61006200')), /holds 2/)
    assert.throws(() => fromText('a\0b'), DeviceTreeError)
    assert.throws(() => fromText('€'), DeviceTreeError)
  })
})

function count(node: DeviceNode): { readonly nodes: number; readonly properties: number } {
  return node.children.map(count).reduce(
    (sum, part) => ({
      nodes: sum.nodes + part.nodes,
      properties: sum.properties + part.properties,
    }),
    { nodes: 1, properties: node.properties.size },
  )
}

function nested(levels: number): DeviceNode {
  let node = deviceNode('deep')
  for (let level = 2; level < levels; level += 1) node = deviceNode('deep', {}, [node])
  return deviceNode('', {}, [node])
}

/** Long enough for the 2 MiB and a byte that its header states. */
function largeBlob(): Uint8Array {
  const blob = new Uint8Array(2_097_153)
  blob.set(damaged((view) => view.setUint32(4, blob.byteLength)))
  return blob
}

/** A blob of nested nodes, made by hand because the encoder refuses to. */
function nestedBlob(levels: number): Uint8Array {
  const words = [
    '00000001 00000000',
    ...Array.from({ length: levels - 1 }, () => '00000001 61000000'),
  ]
  const ends = Array.from({ length: levels }, () => '00000002')
  const structure = fromHex(`${words.join('')}${ends.join('')}00000009`)
  const blob = new Uint8Array(0x38 + structure.byteLength)
  blob.set(smallBlob.subarray(0, 0x38))
  blob.set(structure, 0x38)
  const view = viewOf(blob)
  view.setUint32(4, blob.byteLength)
  view.setUint32(12, blob.byteLength)
  view.setUint32(32, 0)
  view.setUint32(36, structure.byteLength)
  return blob
}
