/** The crash info header of a kernel, as its record describes it: before a crash and at the crash. */
import { vmcoreinfoNoteBytes, vmcoreinfoRules } from '@fadump-lab/shared/elf'
import {
  bootMemoryDestination,
  composeRegistration,
  crashInfoAddress,
  crashInfoHeaderLength,
  crashInfoVersion,
  crashingCpuUnknown,
  emptyPtRegs,
  relocate,
  type CrashInfoHeader,
  type DumpMemoryStructure,
  type PtRegs,
} from '@fadump-lab/shared/fadump'
import {
  advance,
  byteLength,
  realAddress,
  type ByteLength,
  type RealAddress,
} from '@fadump-lab/shared/units'
import { possibleCpus, profileOf, type KernelRecord } from '../kernel/kernel-record.ts'

/** What this kernel would register; `undefined` when nothing is reserved. */
export function dumpStructureOf(record: KernelRecord): DumpMemoryStructure | undefined {
  const { area, bootRegions, cpuStateSize, hpteSize, parameterArea } = record.fadump
  if (area === undefined) return undefined
  return composeRegistration({
    profile: profileOf(record),
    areaStart: area.start,
    cpuStateSize,
    hpteSize,
    bootRegions,
    ...(parameterArea === undefined ? {} : { parameterArea }),
  })
}

/** Where a byte of this kernel will be found after the crash. */
export function relocated(
  record: KernelRecord,
  structure: DumpMemoryStructure,
  address: RealAddress,
): RealAddress {
  const { bootRegions } = record.fadump
  const bootDestination = bootMemoryDestination(structure)
  return relocate({ profile: profileOf(record), bootRegions, bootDestination }, address)
}

/** `VMCOREINFO_NOTE_SIZE` of this kernel. */
export function vmcoreinfoNoteSize(record: Pick<KernelRecord, 'profile' | 'pageSize'>): ByteLength {
  return byteLength(vmcoreinfoNoteBytes(vmcoreinfoRules(record.profile, Number(record.pageSize))))
}

/** The ELF core header that v5 builds in the first kernel lies directly behind the crash info header. */
export function elfCoreHeaderAddress(
  record: KernelRecord,
  structure: DumpMemoryStructure,
): RealAddress {
  return advance(crashInfoAddress(structure), crashInfoHeaderLength(profileOf(record)))
}

export interface CrashFacts {
  readonly cpu: number
  readonly registers: PtRegs
  /** The online mask at that moment. */
  readonly online: readonly number[]
}

/**
 * The header as registration leaves it, or with the facts of a crash. Until a crash v5 names no CPU at all, and modern
 * all possible ones, so that a dump by firmware alone has their registers (C062).
 */
export function crashInfoOf(
  record: KernelRecord,
  structure: DumpMemoryStructure,
  crash?: CrashFacts,
): CrashInfoHeader {
  const profile = profileOf(record)
  const common = {
    crashingCpu: crash?.cpu ?? crashingCpuUnknown,
    registers: crash?.registers ?? emptyPtRegs(profile),
  }
  if (profile.crashInfoFormat === 'FADMPINF') {
    return {
      ...common,
      format: 'FADMPINF',
      cpuMask: new Set(crash?.online),
      elfCoreHeaderAddress: elfCoreHeaderAddress(record, structure),
    }
  }
  return {
    ...common,
    format: 'FADMPSIG',
    version: crashInfoVersion,
    cpuMask: new Set(crash === undefined ? possibleCpus(record) : crash.online),
    vmcoreinfoAddress: relocated(record, structure, realAddress(record.vmcoreinfo.address)),
    vmcoreinfoSize: record.vmcoreinfo.bytes,
  }
}
