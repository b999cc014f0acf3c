/** Bugs in what tools read: ELF cores, kernel logs, RTAS buffers, ranges of a download. */
import { mutantsOf } from '../mutant.ts'

const elf = 'packages/shared/src/elf'
const printk = 'packages/shared/src/printk'
const rtas = 'packages/shared/src/rtas'
const http = 'packages/shared/src/http'

export const coreMutants = mutantsOf([
  {
    file: `${elf}/note.ts`,
    tests: [`${elf}/note.test.ts`],
    bugs: [
      {
        name: 'wrong-descsz',
        what: 'n_descsz counts the padding of the descriptor',
        find: 'encode({ nameSize, descriptorSize, type: note.type }',
        replace: 'encode({ nameSize, descriptorSize: padded(descriptorSize), type: note.type }',
      },
      {
        name: 'namesz-without-nul',
        what: 'n_namesz leaves out the NUL of the name',
        find: 'const nameSize = note.name.length + 1',
        replace: 'const nameSize = note.name.length',
      },
    ],
  },
  {
    file: `${elf}/vmcoreinfo.ts`,
    tests: [`${elf}/vmcoreinfo.test.ts`],
    bugs: [
      {
        name: 'missing-terminator-note',
        what: 'VMCOREINFO_NOTE_SIZE has no room for the empty note that ends the area',
        find: 'noteLength(vmcoreinfoNoteName, rules.bytesMax) + noteTerminator.byteLength',
        replace: 'noteLength(vmcoreinfoNoteName, rules.bytesMax)',
      },
    ],
  },
  {
    file: `${elf}/core-headers.ts`,
    tests: [`${elf}/core-headers.test.ts`],
    bugs: [
      {
        name: 'note-order',
        what: 'PT_LOADs stand before the PT_NOTEs',
        find: '[...input.notes.map(noteHeader), ...input.loads.map(loadHeader)]',
        replace: '[...input.loads.map(loadHeader), ...input.notes.map(noteHeader)]',
      },
      {
        name: 'vaddr-of-the-copy',
        what: 'p_vaddr is that of the copy, not of the crashed memory',
        find: 'virtualAddress: linearMapBase + load.physical',
        replace: 'virtualAddress: linearMapBase + load.address',
      },
    ],
  },
  {
    file: `${elf}/vmcore-plan.ts`,
    tests: [`${elf}/vmcore-plan.test.ts`],
    bugs: [
      {
        name: 'p-align',
        what: 'the merged PT_NOTE of a modern kernel has p_align 0',
        find: 'noteAlign: 4n',
        replace: 'noteAlign: 0n',
      },
      {
        name: 'sub-page-offset-lost',
        what: 'p_offset of a load that begins within a page points to the start of that page',
        find: 'const offset = fileOffset + (header.offset - first)',
        replace: 'const offset = fileOffset',
      },
      {
        name: 'terminator-note-counted',
        what: 'the empty note that ends an area is counted, and all zeros after it',
        find: 'if (nameSize === 0) break',
        replace: '',
      },
    ],
  },
  {
    file: `${elf}/prstatus-ppc64.ts`,
    tests: [`${elf}/note.test.ts`, `${elf}/real-tools.test.ts`],
    bugs: [
      {
        name: 'prstatus-endianness',
        what: 'pr_reg is big-endian also in a little-endian core',
        find: 'u64.write({ view, offset: index * 8, order }, value))',
        replace: "u64.write({ view, offset: index * 8, order: 'big' }, value))",
      },
    ],
  },
  {
    file: `${printk}/ring-allocation.ts`,
    tests: [`${printk}/record-ring.test.ts`],
    bugs: [
      {
        name: 'text-block-across-the-end',
        what: 'a text block crosses the end of the record ring instead of wrapping',
        find: 'return BigInt.asUintN(64, (wraps(end) << BigInt(sizeBits)) + size)',
        replace: 'return end',
      },
      {
        name: 'overwritten-text-still-readable',
        what: 'a record whose text was overwritten is not marked reusable, so tools print what came after it',
        find: 'reused: dropped.map((block) => block.id)',
        replace: 'reused: []',
      },
    ],
  },
  {
    file: `${printk}/ring-layout.ts`,
    tests: [`${printk}/record-ring.test.ts`],
    bugs: [
      {
        name: 'level-bit-field-order',
        what: 'the level of a record lies in the high bits on big-endian machines too',
        find: "order === 'little' ? (level << 5) | flagNewline : (flagNewline << 3) | level",
        replace: '(level << 5) | flagNewline',
      },
    ],
  },
  {
    file: `${printk}/character-log.ts`,
    tests: [`${printk}/character-log.test.ts`],
    bugs: [
      {
        name: 'character-ring-newest-first',
        what: 'a log that has wrapped is read with its newest characters first',
        find: 'concat([ring.subarray(at), newest])',
        replace: 'concat([newest, ring.subarray(at)])',
      },
    ],
  },
  {
    file: `${rtas}/status.ts`,
    tests: [`${rtas}/status.test.ts`],
    bugs: [
      {
        name: 'extended-delay-linear',
        what: '990x is taken for 10·x milliseconds',
        find: 'delayMs: 10 ** order',
        replace: 'delayMs: 10 * order',
      },
    ],
  },
  {
    file: `${rtas}/call.ts`,
    tests: [`${rtas}/call.test.ts`],
    bugs: [
      {
        name: 'status-unsigned',
        what: 'a returned status is read unsigned, so -1 becomes 4294967295',
        find: '.map((cell) => cell | 0)',
        replace: '',
      },
    ],
  },
  {
    file: `${http}/range.ts`,
    tests: [`${http}/range.test.ts`],
    bugs: [
      {
        name: 'range-off-by-one',
        what: 'the last byte of a Range is left out',
        find: 'BigInt(last) + 1n',
        replace: 'BigInt(last)',
      },
    ],
  },
])
