/** What firmware writes: register save area and HPTE save area. */
import { explainStructure } from '@fadump-lab/shared/explain'
import {
  hpteEntryLayout,
  hpteSaveAreaLayout,
  registerEntryLayout,
  registerIdentifiers,
  registerSaveAreaHeaderLayout,
  type RegisterGroup,
} from '@fadump-lab/shared/fadump'
import { truthBytes } from '../../../test/fixtures/truth/index.ts'
import { table } from '../markdown.ts'
import { block, layoutTable } from './pieces.ts'

const groups: Readonly<Record<RegisterGroup, string>> = {
  marker: 'around the registers of a CPU; the value is its id',
  register: 'registers',
  checkpoint: 'only while the CPU has a transactional checkpoint',
}

export function saveAreaSections(): string {
  return [
    '## Register save area\n',
    'Firmware writes it into the CPU state section: header, number of CPUs, then 16 bytes an entry. Big-endian (PAPR,',
    '"Firmware Assisted Dump Data Format"). The number of CPUs stands where `num_cpu_offset` says: at 0x1c in PAPR, at 0x10',
    'in QEMU; entries follow it.\n',
    layoutTable(registerSaveAreaHeaderLayout),
    layoutTable(registerEntryLayout),
    '### Identifiers\n',
    `${table(['identifiers', 'names', 'what they are'], Object.entries(groups).map(groupRow))}\n`,
    '### As QEMU 11.1 wrote it: CPU 1, inside RTAS\n',
    block(explainStructure('regsave', truthBytes('regsave.bin'), { cpus: { only: 1 } })),
    '## HPTE save area\n',
    'Firmware writes it into the HPTE section. Linux does not read it. Big-endian.\n',
    layoutTable(hpteSaveAreaLayout),
    layoutTable(hpteEntryLayout),
  ].join('\n')
}

function groupRow([group, what]: [string, string]): string[] {
  const names = registerIdentifiers.filter((row) => row.group === group).map(({ name }) => name)
  return [`${names.length}`, shortened(names).join(', '), what]
}

/** `GPR00 … GPR31` for names that count. */
function shortened(names: readonly string[]): string[] {
  const runs = Map.groupBy(names, (name) => name.replace(/\d\d/, '##'))
  return [...runs.values()].map((run) =>
    run.length > 2 ? `${run[0]} … ${run.at(-1)}` : run.join(', '),
  )
}
