import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { fromHex, toAscii } from '../units/index.ts'
import { notesOf } from './note.ts'
import {
  appendCrashTime,
  composeVmcoreinfo,
  encodeVmcoreinfoArea,
  encodeVmcoreinfoNote,
  isVmcoreinfo,
  parseVmcoreinfo,
  vmcoreinfo,
  vmcoreinfoNoteBytes,
  vmcoreinfoRules,
  vmcoreinfoText,
} from './vmcoreinfo.ts'

const modern = vmcoreinfoRules('modern', 65_536)
const v5 = vmcoreinfoRules('v5', 65_536)

suite('VMCOREINFO', () => {
  test('each kind of entry is written as the kernel writes it', () => {
    const text = composeVmcoreinfo(
      [
        vmcoreinfo.osRelease('7.2.12-truth64k'),
        vmcoreinfo.buildId('2b404ba19ffa3b23e6162f2b84f7bd09e7871e2d'),
        vmcoreinfo.pageSize(65_536),
        vmcoreinfo.symbol('init_uts_ns', 0xc000000001414c00n),
        vmcoreinfo.offset('uts_namespace.name', 0),
        vmcoreinfo.hexNumber('VMALLOC_START', 0xc008000000000000n),
        vmcoreinfo.length('mem_section', 65_536),
        vmcoreinfo.size('page', 64),
        vmcoreinfo.number('PAGE_SLAB_MAPCOUNT_VALUE', -184_549_376),
        vmcoreinfo.kernelOffset(0n),
      ],
      modern,
    )
    // Lines of the VMCOREINFO of Linux 7.2.12 ppc64le, 64 KiB pages.
    assert.equal(
      text,
      `OSRELEASE=7.2.12-truth64k
BUILD-ID=2b404ba19ffa3b23e6162f2b84f7bd09e7871e2d
PAGESIZE=65536
SYMBOL(init_uts_ns)=c000000001414c00
OFFSET(uts_namespace.name)=0
NUMBER(VMALLOC_START)=0xc008000000000000
LENGTH(mem_section)=65536
SIZE(page)=64
NUMBER(PAGE_SLAB_MAPCOUNT_VALUE)=-184549376
KERNELOFFSET=0
`,
    )
  })

  test('CRASHTIME comes last: as a line of its own today, without a newline in 3.4', () => {
    assert.equal(appendCrashTime('A=1\n', 1_795_350_723, modern), 'A=1\nCRASHTIME=1795350723\n')
    assert.equal(appendCrashTime('A=1\n', 1_795_350_723, v5), 'A=1\nCRASHTIME=1795350723')
  })

  test('what exceeds the bound is cut off: 4096 bytes in 3.4, a page today', () => {
    const entries = Array.from({ length: 2000 }, (_, index) => vmcoreinfo.number(`N${index}`, 1))
    assert.equal(composeVmcoreinfo(entries, v5).length, 4096)
    assert.equal(composeVmcoreinfo(entries, vmcoreinfoRules('modern', 4096)).length, 4096)
    assert.equal(appendCrashTime('x'.repeat(4090), 1_795_350_723, v5), `${'x'.repeat(4090)}CRASHT`)
  })

  test('an entry beyond the 79 bytes of the kernel’s buffer is a mistake', () => {
    const entry = vmcoreinfo.osRelease('x'.repeat(70))
    assert.throws(() => composeVmcoreinfo([entry], modern), { name: 'InvariantError' })
    assert.equal(composeVmcoreinfo([vmcoreinfo.osRelease('x'.repeat(68))], modern).length, 79)
  })

  test('parsing takes keys apart at the first equals sign and ignores other lines', () => {
    const found = parseVmcoreinfo('OSRELEASE=3.4.0\nnonsense\n=x\nA=b=c\nCRASHTIME=5')
    assert.deepEqual(
      [...found],
      [
        ['OSRELEASE', '3.4.0'],
        ['A', 'b=c'],
        ['CRASHTIME', '5'],
      ],
    )
  })

  test('the note of type 0 is named VMCOREINFO', () => {
    const note = encodeVmcoreinfoNote('A=1\nB=2\n\n', 'big')
    assert.deepEqual(
      note,
      fromHex(`0000000b 00000009 00000000 564d434f5245494e464f0000 413d310a423d320a0a000000`),
    )
    const [found] = [...notesOf(note, 'big')]
    assert.ok(found && isVmcoreinfo(found))
    assert.equal(vmcoreinfoText(found), 'A=1\nB=2\n\n')
  })

  test('the kernel reserves 4132 bytes in 3.4, 65572 with 64 KiB pages, 4132 with 4 KiB pages', () => {
    assert.equal(vmcoreinfoNoteBytes(v5), 4132)
    assert.equal(vmcoreinfoNoteBytes(modern), 65_572)
    assert.equal(vmcoreinfoNoteBytes(vmcoreinfoRules('modern', 4096)), 4132)
  })

  test('the whole buffer is the note and zeros, even when the text fills its page', () => {
    const area = encodeVmcoreinfoArea('x'.repeat(4096), 'little', v5)
    assert.equal(area.byteLength, 4132)
    assert.equal(toAscii(area.subarray(24, 26)), 'xx')
    assert.ok(area.subarray(4120).every((byte) => byte === 0))
    assert.throws(() => encodeVmcoreinfoArea('x'.repeat(4097), 'little', v5), {
      name: 'InvariantError',
    })
  })
})
