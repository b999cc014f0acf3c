/**
 * Where PAPR, its requirement text and QEMU disagree, a personality decides. `papr` is the default; `papr-text`
 * takes the status codes from the requirement text (R1-7.3.30-4/-5) instead of the table; `qemu` is QEMU 10.2.
 */
import type { ByteOrder } from '../layout/index.ts'
import { byteLength, type ByteLength } from '../units/index.ts'

export type FirmwarePersonalityName = 'papr' | 'papr-text' | 'qemu'

export interface FirmwarePersonality {
  readonly name: FirmwarePersonalityName
  /** Whether registration applies the PAPR checks that QEMU leaves out (C018, C019 and the structural ones). */
  readonly structuralChecks: boolean
  /** C012. */
  readonly statusAlreadyRegistered: number
  /** C013. */
  readonly statusDumpActive: number
  /** C022: the answer to invalidate when no dump is active, and whether a registration survives it. */
  readonly invalidateWithoutDump: { readonly status: number; readonly keepsRegistration: boolean }
  /**
   * Whether a CPU state or HPTE section whose length is not what the platform advertises gets an error (C063). QEMU
   * writes what it has, whatever was asked for.
   */
  readonly checksFirmwareSectionLengths: boolean
  /**
   * What a section that cannot be dumped is said to suffer from. `every`: each flag that holds. `first, in host order`:
   * only the first, in a big-endian field that QEMU fills as its little-endian host does (0x4000 reads 0x0040), and a
   * CPU state section without a place to go is called an invalid source.
   */
  readonly sectionErrors: 'every' | 'first, in host order'
  /** C041: whether 0x2000 in the header survives the final assignment of 0xC000. */
  readonly keepsErrorStatus: boolean
  /** C051: where the register save area has its CPU count; entries follow it. */
  readonly numCpusOffset: number
  /**
   * What the size of the CPU state section counts, which says how much room an operating system sets aside: QEMU counts
   * cores that could be and then writes the threads that are.
   */
  readonly advertises: 'threads' | 'cores'
  /** C052: which CPUs the register save area holds, those online when the dump begins or every one there is. */
  readonly savesCpus: 'online' | 'all'
  /** The registers of each CPU in the order they are written; absent: the PAPR table, `X-…` as they exist. */
  readonly savedRegisters?: readonly string[]
  /** Registers that are written as 0 whatever the CPU held: QEMU dumps fields that it keeps elsewhere. */
  readonly zeroRegisters?: ReadonlySet<string>
  /** What is advertised and written for the hardware page table. */
  readonly hpteSize: ByteLength
  /** Whether a registration outlives the restart of its partition. */
  readonly keepsRegistrationOverRestart: boolean
  /**
   * Whether the reset after a crash or a restart leaves translation control entries in place, for the next kernel to clear;
   * `spapr_tce_reset` of QEMU clears them itself.
   */
  readonly keepsTcesOverReset: boolean
  /** C024: after `ibm,os-term` without a registration the kernel goes on, or the machine is switched off. */
  readonly osTermUnregistered: 'returns' | 'ends the partition'
  /** C026: whether a system reset that no kernel takes, or a kill, makes firmware dump by itself. */
  readonly dumpsAlone: boolean
  /** Whether `ibm,nmi-interlock` is refused until handlers are registered; PowerVM answers 0. */
  readonly interlockNeedsHandlers: boolean
  /** C005: byte order of the two cells of `ibm,configure-kernel-dump-version`. */
  readonly versionByteOrder: ByteOrder
  /** C038: whether OS section types other than the parameter area are copied. */
  readonly copiesOsSections: boolean
}

const papr: FirmwarePersonality = {
  name: 'papr',
  structuralChecks: true,
  statusAlreadyRegistered: -9,
  statusDumpActive: -10,
  invalidateWithoutDump: { status: -3, keepsRegistration: true },
  checksFirmwareSectionLengths: true,
  sectionErrors: 'every',
  keepsErrorStatus: true,
  numCpusOffset: 0x1c,
  advertises: 'threads',
  savesCpus: 'online',
  hpteSize: byteLength(0x1000),
  keepsRegistrationOverRestart: false,
  keepsTcesOverReset: true,
  osTermUnregistered: 'returns',
  dumpsAlone: true,
  interlockNeedsHandlers: false,
  versionByteOrder: 'big',
  copiesOsSections: true,
}

const indices = Array.from({ length: 32 }, (_, index) => String(index).padStart(2, '0'))

/** `fadump_preserve_one_cpu` of QEMU's `hw/ppc/spapr_fadump.c`: 77 registers, and with the markers 79 entries. */
const qemuRegisters: readonly string[] = [
  ...'ACOP AMR BESCR CFAR CIABR CR CTR CTRL DABR DABRX DAR DAWR0 DAWR1 DAWRX0 DAWRX1'.split(' '),
  ...'DPDES DSCR DSISR EBBHR EBBRR FPSCR FSCR'.split(' '),
  ...indices.map((nn) => `GPR${nn}`),
  ...'IAMR IC LR MSR NIA PIR PSPB PVR RPR SPURR SRR0 SRR1 TAR TEXASR TFHAR TFIAR TIR'.split(' '),
  ...'UAMOR VRSAVE VSCR VTB WORT XER'.split(' '),
]

export const firmwarePersonalities: Readonly<Record<FirmwarePersonalityName, FirmwarePersonality>> =
  {
    papr,
    'papr-text': {
      ...papr,
      name: 'papr-text',
      statusAlreadyRegistered: -8,
      statusDumpActive: -9,
    },
    qemu: {
      name: 'qemu',
      structuralChecks: false,
      statusAlreadyRegistered: -9,
      statusDumpActive: -10,
      invalidateWithoutDump: { status: 0, keepsRegistration: false },
      checksFirmwareSectionLengths: false,
      sectionErrors: 'first, in host order',
      keepsErrorStatus: false,
      numCpusOffset: 0x10,
      advertises: 'cores',
      savesCpus: 'all',
      savedRegisters: qemuRegisters,
      zeroRegisters: new Set(['CTR', 'LR', 'XER']),
      hpteSize: byteLength(0n),
      keepsRegistrationOverRestart: true,
      keepsTcesOverReset: false,
      osTermUnregistered: 'ends the partition',
      dumpsAlone: false,
      interlockNeedsHandlers: true,
      versionByteOrder: 'little',
      copiesOsSections: false,
    },
  }
