/** docs/wire-formats.md: every structure from the table that reads and writes it, then in bytes of a real kernel. */
import { heading } from './markdown.ts'
import { crashInfoSection } from './wire-formats/crash-info.ts'
import { deviceTreeSection } from './wire-formats/device-tree.ts'
import { dumpMemoryStructureSection } from './wire-formats/dump-memory-structure.ts'
import { rtasSection } from './wire-formats/rtas.ts'
import { saveAreaSections } from './wire-formats/save-areas.ts'
import { vmcoreSections } from './wire-formats/vmcore.ts'

const introduction = `
The structures of a dump as they lie in memory, in files and on the wire. Each has its table: offset, bytes, the field's
name in PAPR or Linux, what it means. Below some of them stand bytes that a real kernel and a real firmware wrote
([where they come from](../test/fixtures/truth/README.md)), printed as \`./lab explain\` prints yours: offset, bytes, field, value, meaning.

\`\`\`sh
./lab explain fdm FILE                                # also regsave, crash-info, elf, fdt, rtas
./lab explain regsave PARTITION --api http://HOST:PORT --cpu 3
\`\`\`
`

export function wireFormats(): string {
  return [
    heading('Wire formats', 'the layout tables of packages/shared and test/fixtures/truth'),
    introduction.trimStart(),
    dumpMemoryStructureSection(),
    saveAreaSections(),
    crashInfoSection(),
    vmcoreSections(),
    deviceTreeSection(),
    rtasSection(),
  ].join('\n')
}
