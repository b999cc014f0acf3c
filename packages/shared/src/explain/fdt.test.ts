import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { truthBytes } from '../../../../test/fixtures/truth/index.ts'
import {
  decodeDeviceTree,
  deviceNode,
  encodeDeviceTree,
  fromCells,
  fromText,
} from '../fdt/index.ts'
import { equalBytes } from '../units/index.ts'
import { diffStructures, explain, explainStructure, type Field } from './index.ts'

const words = (lines: readonly string[]): string[] =>
  lines.map((line) => line.trim().replaceAll(/ {2,}/g, '  '))

function fieldsOf(bytes: Uint8Array): readonly Field[] {
  return explain('fdt', bytes).parts.flatMap((part) => part.fields)
}

describe('a device tree explained', () => {
  const lines = explainStructure('fdt', truthBytes('second.dtb'))

  test('header and reservations of a real capture boot', () => {
    assert.deepEqual(words(lines).slice(0, 14), [
      'fdt_header',
      '0000  d00dfeed  magic  0xd00dfeed  always 0xd00dfeed',
      '0004  00003ef3  totalsize  0x00003ef3  bytes of the whole blob',
      '0008  00000058  off_dt_struct  0x00000058  structure block',
      '000c  0000356c  off_dt_strings  0x0000356c  strings block',
      '0010  00000028  off_mem_rsvmap  0x00000028  memory reservation block',
      '0014  00000011  version  0x00000011  always 17',
      '0018  00000010  last_comp_version  0x00000010  always 16',
      '001c  00000000  boot_cpuid_phys  0x00000000  the CPU that boots the kernel',
      '0020  00000987  size_dt_strings  0x00000987  bytes of the strings block',
      '0024  00003514  size_dt_struct  0x00003514  bytes of the structure block',
      'fdt_reserve_entry reservations[0]',
      '0028  0000000000400000  address  0x0000000000400000  the kernel must leave this range alone',
      '0030  000000000159e6c0  size  0x000000000159e6c0  bytes; an entry of two zeros ends the block',
    ])
  })

  test('is a tree: nodes lie indented in their parents', () => {
    const nodes = lines.filter((line) => /^ *\/(?:\S*)$/.test(line))
    assert.deepEqual(nodes.slice(0, 8), [
      '/',
      '  /ibm,persistent-memory',
      '  /chosen',
      '  /rtas',
      '  /event-sources',
      '    /event-sources/hot-plug-events',
      '    /event-sources/epow-events',
      '  /cpus',
    ])
  })

  test('C002 C003 C005 the properties of the dump option are told by what they mean', () => {
    const told = words(lines)
    for (const line of [
      '0620  0000202d  ibm,configure-kernel-dump  <0x202d>  RTAS service: Register, unregister or invalidate a firmware-assisted dump',
      '09d4  ibm,configure-kernel-dump-sizes  24 bytes, told below  how large the sections are that firmware fills',
      'ibm,configure-kernel-dump-sizes[0]',
      '09d4  00000001  section  0x00000001  CPU state data',
      '09d8  0000000000000a00  size  0x0000000000000a00  2560 bytes must be provided',
      'ibm,configure-kernel-dump-sizes[1]',
      '09e0  00000002  section  0x00000002  HPTE region',
      '09f8  0100  minimum  0x0100  1 in little-endian order, as QEMU has it',
      '0a28  ibm,extended-os-term  present  ibm,os-term does not return; without it Linux never calls it',
    ]) {
      assert.ok(told.includes(line), line)
    }
  })

  test('C006 ibm,kernel-dump is explained as the dump memory structure that it is', () => {
    const told = words(lines)
    for (const line of [
      '0906  c000  dump_status_flag  0xc000  dump performed, dump was triggered by the previous system boot',
      'rtas_fadump_section sections[2]: real mode region',
      '0990  0000000014000000  bytes_dumped  0x0000000014000000  all of it',
    ]) {
      assert.ok(told.includes(line), line)
    }
  })

  test('every property stands where its offset says', () => {
    const blob = truthBytes('first.dtb')
    const properties = fieldsOf(blob).filter(({ path }) => path.startsWith('/'))
    const values = properties.filter(({ bytes }) => bytes.byteLength > 0)
    for (const { path, offset, bytes } of values) {
      assert.ok(equalBytes(blob.subarray(offset, offset + bytes.byteLength), bytes), path)
    }
    assert.ok(values.length > 200, `${values.length} properties`)
  })

  test('C006 the first boot’s tree differs from the capture boot’s by ibm,kernel-dump', () => {
    const differing = diffStructures('fdt', truthBytes('first.dtb'), truthBytes('second.dtb'))
    const others = differing.filter((line) => !line.startsWith('/rtas/ibm,kernel-dump'))
    assert.ok(
      differing.includes(
        '/rtas/ibm,kernel-dump/dump_status_flag: the first has none; 0xc000 (dump performed, dump was triggered by the previous system boot)',
      ),
    )
    assert.deepEqual(
      others.map((line) => line.split(':')[0]),
      ['totalsize', 'off_dt_strings', 'size_dt_strings', 'size_dt_struct', '/chosen/rng-seed'],
    )
  })
})

describe('values of properties', () => {
  const tree = encodeDeviceTree({
    root: deviceNode('', {
      text: fromText('pseries'),
      escape: fromText('\x1b[2J'),
      empty: new Uint8Array(0),
      cells: fromCells(1, 0xffff),
      bytes: Uint8Array.of(1, 2, 3),
      nuls: new Uint8Array(2),
      long: fromText('x'.repeat(500)),
    }),
  })
  const values = Object.fromEntries(fieldsOf(tree).map(({ name, value }) => [name, value]))

  test('are printed as dtc would: text, cells or bytes; what is long is cut', () => {
    assert.equal(values['text'], '"pseries"')
    assert.equal(values['escape'], '[1b5b324a00]')
    assert.equal(values['empty'], 'present')
    assert.equal(values['cells'], '<0x1 0xffff>')
    assert.equal(values['bytes'], '[010203]')
    assert.equal(values['nuls'], '[0000]')
    assert.match(values['long'] ?? '', /^"x{159}… \(501 bytes\)$/)
  })
})

describe('CPUs of a device tree', () => {
  const cpu = (id: number) =>
    deviceNode(`cpu@${id.toString(16)}`, { device_type: fromText('cpu'), reg: fromCells(id) }, [
      deviceNode('cache'),
    ])
  const tree = encodeDeviceTree({
    root: deviceNode('', {}, [
      deviceNode('cpus', {}, [cpu(0), cpu(8), cpu(16), cpu(24)]),
      deviceNode('memory@0', { reg: fromCells(0, 0, 1, 0) }),
    ]),
  })

  test('two are shown and the others counted; one can be asked for by its unit address', () => {
    const titles = (only?: number) =>
      explain('fdt', tree, only === undefined ? {} : { cpus: { only } }).parts.flatMap(
        ({ title, remarks = [] }) => [title, ...remarks],
      )
    assert.deepEqual(titles().slice(2), [
      '/cpus',
      '/cpus/cpu@0',
      '/cpus/cpu@0/cache',
      '/cpus/cpu@8',
      '/cpus/cpu@8/cache',
      '/memory@0',
      '/cpus',
      '2 more CPUs are not shown (16,24): --cpu N shows one of them in full',
    ])
    assert.deepEqual(titles(24).slice(3, 5), ['/cpus/cpu@18', '/cpus/cpu@18/cache'])
    assert.match(
      explain('fdt', tree, { cpus: { only: 1 } }).defect ?? '',
      /expected CPU 1 below \/cpus; found CPUs 0,8,16,24$/,
    )
  })

  test('a property behind hidden nodes still stands where its offset says', () => {
    const memory = fieldsOf(tree).find(({ path }) => path === '/memory@0/reg')
    const { offset = 0, bytes = new Uint8Array(0), meaning } = memory ?? {}
    assert.ok(equalBytes(tree.subarray(offset, offset + 16), bytes))
    assert.equal(meaning, '4 GiB from 0x0')
  })
})

describe('bytes that are no device tree', () => {
  test('another magic, a blob cut short, a broken structure block', () => {
    const defect = (bytes: Uint8Array) => explain('fdt', bytes).defect ?? ''
    const real = truthBytes('first.dtb')
    assert.match(defect(truthBytes('regsave.bin')), /^at offset 0x0: .*explain it as regsave$/)
    assert.match(defect(real.subarray(0, 39)), /the 40 bytes of fdt_header; found 39 bytes$/)
    assert.match(defect(real.subarray(0, 1000)), /^totalsize is \d+, there are 1000 bytes/)
    const named = real.slice()
    named.set([0x1b, 0x5b], 0x5c)
    assert.match(defect(named), /^the root node is named \\x1b\[$/)
    const broken = real.slice()
    broken[0x5b] = 7
    assert.match(defect(broken), /^structure block: unknown token 0x7 at offset 0$/)
    assert.throws(() => decodeDeviceTree(broken))
  })
})
