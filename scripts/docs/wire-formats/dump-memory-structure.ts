/** The dump memory structure, as registered and after a dump. */
import { diffStructures, explainStructure } from '@fadump-lab/shared/explain'
import {
  dumpSectionHeaderLayout,
  dumpSectionLayout,
  dumpStatusFlags,
  sectionErrorFlags,
  sectionTypes,
  type FlagRow,
} from '@fadump-lab/shared/fadump'
import { decodeDeviceTree, findNode } from '@fadump-lab/shared/fdt'
import { truthBytes } from '../../../test/fixtures/truth/index.ts'
import { table } from '../markdown.ts'
import { block, code, layoutTable } from './pieces.ts'

export function dumpMemoryStructureSection(): string {
  const registered = truthBytes('fdm-registered.bin')
  const { root } = decodeDeviceTree(truthBytes('second.dtb'))
  const dump = findNode(root, '/rtas')?.properties.get('ibm,kernel-dump') ?? new Uint8Array(0)
  return [
    '## Dump memory structure\n',
    'The kernel registers it, firmware fills in the results and shows it to the capture kernel as `/rtas/ibm,kernel-dump`.',
    'Big-endian: a header and up to ten sections (PAPR, "Kernel Assisted Dump Memory Structure"; `rtas-fadump.h`).\n',
    layoutTable(dumpSectionHeaderLayout),
    layoutTable(dumpSectionLayout),
    '### Status, errors, section types\n',
    flagTable('dump_status_flag', dumpStatusFlags),
    flagTable('error_flags', sectionErrorFlags),
    `${table(
      ['source_data_type', 'name', 'filled by', 'meaning'],
      sectionTypes.map(({ type, name, owner, meaning }) => [code(type, 4), name, owner, meaning]),
    )}\n`,
    '### As Linux 7.2 registered it\n',
    block(explainStructure('fdm', registered)),
    '### What the dump changed in it\n',
    block(diffStructures('fdm', registered, dump)),
  ].join('\n')
}

function flagTable(field: string, rows: readonly FlagRow[]): string {
  const cells = rows.map(({ flag, meaning }) => [code(flag, 4), meaning])
  return `${table([field, 'meaning'], cells)}\n`
}
