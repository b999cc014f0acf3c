/** The source data types of dump sections (PAPR, "Kernel Assisted Dump Memory Structure"). */

/** `firmware`: the platform produces the data. `memory`: the platform copies partition memory. */
export type SectionOwner = 'firmware' | 'memory'

export interface SectionTypeRow {
  readonly type: number
  readonly name: string
  readonly owner: SectionOwner
  readonly meaning: string
}

export const sectionType = {
  cpuState: 0x0001,
  hpte: 0x0002,
  realModeRegion: 0x0011,
  osIdentifiedString: 0x0012,
  parameterArea: 0x0100,
} as const

export const sectionTypes: readonly SectionTypeRow[] = [
  { type: 0x0001, name: 'CPU state data', owner: 'firmware', meaning: 'register save area' },
  {
    type: 0x0002,
    name: 'HPTE region',
    owner: 'firmware',
    meaning: 'hardware page table for the real mode region',
  },
  {
    type: 0x0011,
    name: 'real mode region',
    owner: 'memory',
    meaning: 'Linux: boot memory, overwritten by the next boot',
  },
  {
    type: 0x0012,
    name: 'OS identified string',
    owner: 'memory',
    meaning: 'operating system type and version; unused by Linux',
  },
  {
    type: 0x0100,
    name: 'parameter area',
    owner: 'memory',
    meaning: 'Linux 6.10: boot arguments for the capture kernel',
  },
]

/** From here to 0xffff, types belong to the operating system; the platform just copies. */
export const osSectionTypeFirst = 0x0100

/** The row of `type`; an unlisted OS type gets a row of its own, a reserved type `undefined`. */
export function sectionTypeOf(type: number): SectionTypeRow | undefined {
  const row = sectionTypes.find((candidate) => candidate.type === type)
  if (row !== undefined || type < osSectionTypeFirst) return row
  return { type, name: 'OS defined', owner: 'memory', meaning: 'defined by the operating system' }
}
