/** The reference model's dump: what firmware makes of each section, where Linux puts the copy, and who accepts it. */
import type { FaultName, Setup } from './commands.ts'

const MiB = 0x10_0000
/** The floor of both kernels: of 1 GiB five per cent are less. */
const bootMemory = 320 * MiB
const memoryEnd = 1024 * MiB
const kernelPage = 0x1_0000
/** `COMMAND_LINE_SIZE`: what the command line has room for, and the parameter area. */
export const commandLineMax = 2048

/** `dump_status_flag`: performed and triggered by the previous boot; error. */
const statusPerformed = 0xc000
const statusError = 0x2000

const sectionType = { cpu: 1, hpte: 2, realMode: 0x11, parameters: 0x100, reserved: 0x77 } as const
const errorFlag = { type: 0x8000, destination: 0x1000 } as const
/** What a `short` fault leaves out. */
const shortBy = 16

export interface Section {
  readonly type: number
  readonly errorFlags: number
  readonly length: number
  readonly dumped: number
}

/** What firmware presents as `ibm,kernel-dump`, and what lies in memory with it. */
export interface Dump {
  readonly status: number
  readonly sections: readonly Section[]
  /** Where byte 0 of the crashed kernel is. */
  readonly bootCopy: number
  /** Seed of the planted bytes of the crashed kernel. */
  readonly planted: number | undefined
  /**
   * Whether REGSAVE and the crash info header are where they must be. QEMU also dumps a registration of the boot before,
   * whose header is gone.
   */
  readonly isReadable: boolean
  readonly appended: string
}

/** §7.1: one failed section does not stop the others. */
export function dumpOf(
  setup: Setup,
  crash: {
    readonly planted: number | undefined
    readonly hasHeader: boolean
    readonly appended: string
    /** Whether an armed fault strikes. */
    readonly strikes: (fault: FaultName) => boolean
  },
): Dump {
  const { cpuLength, hpteLength, bootCopy } = layoutOf(setup)
  const { strikes, planted, hasHeader, appended } = crash
  const section = (
    type: number,
    length: number,
    { error, short }: { readonly error?: FaultName; readonly short?: FaultName } = {},
  ): Section => {
    if (error !== undefined && strikes(error)) {
      return { type, length, errorFlags: errorFlag.destination, dumped: 0 }
    }
    const isShort = short !== undefined && strikes(short)
    return { type, length, errorFlags: 0, dumped: isShort ? Math.max(0, length - shortBy) : length }
  }
  const cpu = section(sectionType.cpu, cpuLength, {
    error: 'cpu-state-error',
    short: 'cpu-state-short',
  })
  const sections = [
    cpu,
    section(sectionType.hpte, hpteLength, { error: 'hpte-error' }),
    section(sectionType.realMode, bootMemory, {
      error: 'real-mode-error',
      short: 'real-mode-short',
    }),
    ...(setup.profile === 'v5' ? [] : [section(sectionType.parameters, commandLineMax)]),
  ]
  // C041: QEMU assigns 0xC000 last, and the error is gone.
  const hasError = sections.some(({ errorFlags }) => errorFlags !== 0) && setup.firmware === 'papr'
  const reserved = { type: sectionType.reserved, errorFlags: errorFlag.type, length: 0, dumped: 0 }
  return {
    status: statusPerformed | (hasError || strikes('header-status-set') ? statusError : 0),
    sections: strikes('unknown-section') ? [...sections, reserved] : sections,
    bootCopy,
    planted,
    isReadable: !(cpu.errorFlags === 0 && strikes('regsave-magic')) && hasHeader,
    appended,
  }
}

/** §11.6: 3.4 ignores the HPTE section, takes a short CPU section, and compares the status with 0x2000 alone. */
export function isAccepted(
  { sections, status, isReadable }: Dump,
  { profile, firmware }: Setup,
): boolean {
  const [cpu, hpte, realMode] = sections
  const isWhole = (section: Section | undefined) =>
    section?.errorFlags === 0 && section.dumped === section.length
  if (!isReadable || !isWhole(realMode)) return false
  if (profile === 'modern') return isWhole(cpu) && isWhole(hpte)
  // C059: QEMU's area ends with its last CPUEND, PAPR's has room behind it. What was not dumped is not read.
  const hasLastEntry = firmware === 'papr' || isWhole(cpu)
  return status !== statusError && cpu?.errorFlags === 0 && cpu.dumped !== 0 && hasLastEntry
}

/** §4.5, §6: where the kernels put the copy of boot memory, and what they ask firmware for. */
function layoutOf({ profile, firmware, processors }: Setup): {
  readonly cpuLength: number
  readonly hpteLength: number
  readonly bootCopy: number
} {
  // PAPR: prologue of 0x20 and 512 entries of 16 bytes a CPU. QEMU: 79 entries, and no HPTE area.
  const cpuLength = 0x20 + processors * 16 * (firmware === 'papr' ? 512 : 79)
  const hpteLength = firmware === 'papr' ? 0x1000 : 0
  if (profile === 'modern') {
    return { cpuLength, hpteLength, bootCopy: bootMemory + pageAlign(cpuLength + hpteLength) }
  }
  // One memory region: 504 bytes of crash info, 56 for the notes, 64 of ELF header, three program headers.
  const area = pageAlign(cpuLength + hpteLength + bootMemory + 504 + 56 + 64 + 3 * 56)
  return { cpuLength, hpteLength, bootCopy: memoryEnd - area + cpuLength + hpteLength }
}

function pageAlign(value: number): number {
  return Math.ceil(value / kernelPage) * kernelPage
}
