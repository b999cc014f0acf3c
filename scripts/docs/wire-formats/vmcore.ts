/** The vmcore as ELF file and as flattened stream. */
import {
  elfHeaderLayout,
  flattenedHeaderLayout,
  flattenedRecordLayout,
  noteHeaderLayout,
  programHeaderLayout,
  prstatusLayout,
} from '@fadump-lab/shared/elf'
import { explainStructure } from '@fadump-lab/shared/explain'
import { ptRegsNames } from '@fadump-lab/shared/fadump'
import { truthBytes } from '../../../test/fixtures/truth/index.ts'
import { block, layoutTable } from './pieces.ts'

export function vmcoreSections(): string {
  const registers = ptRegsNames.map((name) => `\`${name}\``).join(', ')
  return [
    '## vmcore\n',
    'An ELF64 core in the byte order of the crashed kernel: header, program headers, one PT_NOTE with an NT_PRSTATUS for each',
    'CPU and VMCOREINFO, then memory. The ELF core header that the kernel builds in memory has physical addresses in',
    '`p_offset` instead of file offsets.\n',
    layoutTable(elfHeaderLayout),
    layoutTable(programHeaderLayout),
    layoutTable(noteHeaderLayout),
    layoutTable(prstatusLayout),
    `\`pr_reg\` is \`struct pt_regs\`, 48 × 8 bytes: ${registers}.\n`,
    '### As Linux 7.2 presents it\n',
    block(explainStructure('elf', truthBytes('vmcore-head.bin'), { cpus: { only: 0 } })),
    '## makedumpfile’s flattened stream\n',
    'A file as a stream of records, so that holes can be left out. Big-endian. The header fills 4096 bytes.\n',
    layoutTable(flattenedHeaderLayout),
    layoutTable(flattenedRecordLayout),
  ].join('\n')
}
