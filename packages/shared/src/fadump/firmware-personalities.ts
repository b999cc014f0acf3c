/**
 * Where PAPR, its requirement text and QEMU disagree, a personality decides. `papr` is the default; `papr-text`
 * takes the status codes from the requirement text (R1-7.3.30-4/-5) instead of the table; `qemu` is QEMU 10.2.
 */
import type { ByteOrder } from '../layout/index.ts'

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
  /** C041: whether 0x2000 in the header survives the final assignment of 0xC000. */
  readonly keepsErrorStatus: boolean
  /** C051: where the register save area has its CPU count; entries follow it. */
  readonly numCpusOffset: number
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
  keepsErrorStatus: true,
  numCpusOffset: 0x1c,
  versionByteOrder: 'big',
  copiesOsSections: true,
}

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
      keepsErrorStatus: false,
      numCpusOffset: 0x10,
      versionByteOrder: 'little',
      copiesOsSections: false,
    },
  }
