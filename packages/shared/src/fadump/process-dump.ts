/**
 * What the capture kernel makes of `ibm,kernel-dump`: accept it, with the registers of every CPU that belongs into the
 * dump, or reject it, whereupon it invalidates the dump and gives the memory back (`process_fadump` of 3.4;
 * `fadump_process` and `rtas_fadump_process` of 6.10). The checks are ordered tables.
 */
import {
  checkCrashInfoHeader,
  crashingCpuUnknown,
  decodeCrashInfoHeader,
  type CrashInfoHeader,
} from './crash-info-header.ts'
import { alignUp, hex, MiB } from '../units/index.ts'
import { sectionChecks, type SectionVerdict } from './dump-checks.ts'
import type { DumpMemoryStructure } from './dump-memory-structure.ts'
import type { KernelProfile, KernelSource } from './kernel-profiles.ts'
import { ptRegsOfEntries, type PtRegs } from './pt-regs.ts'
import {
  readRegisterSaveArea,
  readRegisterSaveAreaStart,
  RegisterSaveAreaError,
} from './register-save-area.ts'

export interface ProcessInput {
  readonly profile: KernelProfile
  /** `ibm,kernel-dump`. */
  readonly structure: DumpMemoryStructure
  /** Memory behind the copy of boot memory, `crashInfoHeaderLength` bytes. */
  readonly crashInfo: Uint8Array
  /** Memory at the CPU state destination, `bytes_dumped` bytes. */
  readonly cpuState: Uint8Array
}

/** `sizeof(note_buf_t)`: what a kernel sets aside for the notes of one CPU. */
export const noteBufferBytes = 536
/** The most that one allocation of the kernel can get, with pages of 64 KiB on POWER: 16 MiB (`MAX_ORDER`). */
export const notesBufferBytesMax = 16n * MiB

/** One NT_PRSTATUS to write. */
export interface CpuRegisters {
  readonly cpu: number
  /** `profile.ptRegsCount` values in `pt_regs` order. */
  readonly ptRegs: PtRegs
}

export interface AcceptedDump {
  readonly isAccepted: true
  readonly header: CrashInfoHeader
  /** In save area order; empty when no CPU of the area is in the mask (C062). */
  readonly cpus: readonly CpuRegisters[]
  /** NumCpus of the save area: the kernel sizes its notes buffer by it, CPUs without a note included. */
  readonly savedCpus: number
  /** False when the parameter area could not be preserved (C114). */
  readonly isParameterAreaUsable: boolean
  readonly log: readonly string[]
}

export interface RejectedDump {
  readonly isAccepted: false
  /** Which check, for programs. */
  readonly reason: string
  /** What the kernel logs, last line the reason. */
  readonly log: readonly string[]
}

export type ProcessedDump = AcceptedDump | RejectedDump

export function processDump(input: ProcessInput): ProcessedDump {
  const { profile, crashInfo } = input
  const steps = stepOrder[profile.kernelSource]
  const log: string[] = []
  let isParameterAreaUsable = true
  for (const step of steps) {
    const verdict = step(input)
    log.push(...verdict.log)
    if (verdict.reason !== undefined) return { isAccepted: false, reason: verdict.reason, log }
    isParameterAreaUsable &&= verdict.isParameterAreaUsable ?? true
  }
  const header = decodeCrashInfoHeader(crashInfo, profile)
  const notes = selectCpuRegisters({ profile, header, cpuState: input.cpuState })
  if (!notes.isAccepted) return { ...notes, log: [...log, ...notes.log] }
  return { ...notes, header, isParameterAreaUsable, log }
}

type Step = (input: ProcessInput) => SectionVerdict

const checkSections: Step = ({ profile, structure }) =>
  sectionChecks[profile.kernelSource](structure, profile)

const checkHeader: Step = ({ profile, crashInfo }) => {
  const refusal = checkCrashInfoHeader(crashInfo, profile)
  if (refusal === undefined) return { log: [] }
  return { reason: refusal.reason, log: [`${profile.logPrefix.fadump}${refusal.message}`] }
}

/** 3.4 looks at the sections first, 6.10 at the header. */
const stepOrder: Readonly<Record<KernelSource, readonly Step[]>> = {
  '3.4': [checkSections, checkHeader],
  '6.10': [checkHeader, checkSections],
}

export interface CpuSelection {
  readonly profile: KernelProfile
  readonly header: Pick<CrashInfoHeader, 'cpuMask' | 'crashingCpu' | 'registers'>
  /** The register save area. */
  readonly cpuState: Uint8Array
}

/**
 * The registers of each CPU in the area that is in the header's mask: those of the crashing CPU from the header, all
 * others from firmware (`fadump_build_cpu_notes`).
 */
export function selectCpuRegisters(
  selection: CpuSelection,
): Pick<AcceptedDump, 'isAccepted' | 'cpus' | 'savedCpus'> | RejectedDump {
  const { profile, header, cpuState } = selection
  try {
    const savedCpus = readRegisterSaveAreaStart(cpuState).cpus
    const bytes = alignUp(BigInt(savedCpus) * BigInt(noteBufferBytes), profile.pageSize)
    if (bytes > notesBufferBytesMax) return withoutNotesBuffer(profile, bytes)
    const cpus: CpuRegisters[] = []
    for (const { cpu, entries } of readRegisterSaveArea(cpuState)) {
      if (!header.cpuMask.has(cpu)) continue
      const isCrashing = header.crashingCpu !== crashingCpuUnknown && header.crashingCpu === cpu
      const ptRegs = isCrashing ? header.registers : ptRegsOfEntries(entries, profile)
      cpus.push({ cpu, ptRegs })
    }
    return { isAccepted: true, cpus, savedCpus }
  } catch (cause) {
    if (!(cause instanceof RegisterSaveAreaError)) throw cause
    const message =
      cause.code === 'bad-magic'
        ? 'Unable to read register save area.'
        : 'Unable to read CPU state data'
    return {
      isAccepted: false,
      reason: cause.code,
      log: [`${profile.logPrefix.platform}${message}`],
    }
  }
}

/** -ENOMEM, before the CPUs of the area are looked at. */
function withoutNotesBuffer(profile: KernelProfile, bytes: bigint): RejectedDump {
  const lines: Readonly<Record<KernelSource, string>> = {
    '3.4': `Failed to allocate ${hex(bytes)} bytes for cpu notes buffer`,
    '6.10': `Failed to allocate ${bytes} bytes for CPU notes buffer`,
  }
  const line = `${profile.logPrefix.fadump}${lines[profile.kernelSource]}`
  return { isAccepted: false, reason: 'no-notes-buffer', log: [line] }
}
