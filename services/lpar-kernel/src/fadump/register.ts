/**
 * Registration: `register_fadump` and its counterparts. The dump memory structure, the crash info header and, in v5,
 * the ELF core header go into partition memory; firmware is told by `ibm,configure-kernel-dump`.
 */
import { Problem } from '@fadump-lab/shared/contracts'
import { encodeCoreHeaders, vmcoreinfoRules } from '@fadump-lab/shared/elf'
import {
  bootMemoryDestination,
  configureKernelDumpCommand,
  crashInfoAddress,
  crashMemoryRanges,
  encodeCrashInfoHeader,
  encodeDumpMemoryStructure,
  type DumpMemoryStructure,
} from '@fadump-lab/shared/fadump'
import { rtasStatus } from '@fadump-lab/shared/rtas'
import type { MemoryWrite } from '@fadump-lab/shared/store'
import { byteLength, rangeLength, realAddress, type RealAddress } from '@fadump-lab/shared/units'
import { doesNotReturn } from '../firmware/firmware-client.ts'
import type { Errno } from '../kernel/errno.ts'
import { profileOf, type KernelRecord } from '../kernel/kernel-record.ts'
import type { RunningKernel } from '../kernel/running-kernel.ts'
import { crashInfoOf, dumpStructureOf, elfCoreHeaderAddress, relocated } from './crash-info.ts'
import { fadumpRules } from './profile-rules.ts'

/** Registers; gives the errno that the writer of `fadump_registered` sees. Errors: `conflict`. */
export async function registerFadump(kernel: RunningKernel): Promise<Errno | undefined> {
  const isUp = await kernel.untilNoneCrashes()
  const { record } = kernel
  const rules = fadumpRules[record.profile]
  const structure = dumpStructureOf(record)
  if (structure === undefined) {
    return rules.whenNothingReserved === 'nothing' ? undefined : rules.whenNothingReserved
  }
  const bytes = encodeDumpMemoryStructure(structure)
  const writes = [
    ...headersOf(record, structure),
    { address: realAddress(record.fdmAddress), bytes },
  ]
  // A crash changes the record first, and this fails as a whole; or it reads this, and fills in the header later.
  const change = { isCrashing: false, fadump: { ...record.fadump, isRegistering: true } }
  if (!isUp || !(await kernel.update(change, writes))) {
    throw new Problem(
      'conflict',
      `another host crashes or changes partition ${record.partition}; look at its state, and try again`,
    )
  }
  const status = await configure(kernel, 'register', bytes.byteLength)
  const rule = rules.register(status)
  if (rule !== undefined) await kernel.printk([{ text: rule.line, level: rule.level }])
  const isRegistered = rule?.isRegistered
  await kernel.amendFadump({
    isRegistering: false,
    ...(isRegistered === undefined ? {} : { isRegistered }),
  })
  return rule?.errno
}

/** The crash info header, and in v5 the ELF core header behind it. */
function headersOf(record: KernelRecord, structure: DumpMemoryStructure): readonly MemoryWrite[] {
  const profile = profileOf(record)
  const header = encodeCrashInfoHeader(crashInfoOf(record, structure), profile)
  const writes = [{ address: crashInfoAddress(structure), bytes: header }]
  if (profile.elfCoreHeader !== 'first-kernel') return writes
  const address = elfCoreHeaderAddress(record, structure)
  return [...writes, { address, bytes: elfCoreHeader(record, structure) }]
}

/** Takes the registration back. A refusal of firmware is logged and leaves the kernel registered. */
export async function unregisterFadump(kernel: RunningKernel): Promise<void> {
  const status = await configure(kernel, 'unregister')
  if (status === rtasStatus.success) await kernel.amendFadump({ isRegistered: false })
  else await logFailure(kernel, fadumpRules[kernel.record.profile].unregisterFailed(status))
}

/** Tells firmware that the dump is done with; gives its status. A refusal is logged. */
export async function invalidateDump(kernel: RunningKernel): Promise<number> {
  const structure = dumpStructureOf(kernel.record)
  if (structure !== undefined) {
    await kernel.memory.write(kernel.record.fdmAddress, encodeDumpMemoryStructure(structure))
  }
  const status = await configure(kernel, 'invalidate')
  if (status !== rtasStatus.success) {
    await logFailure(kernel, fadumpRules[kernel.record.profile].invalidateFailed(status))
  }
  return status
}

const error = 3

function logFailure(kernel: RunningKernel, text: string): Promise<void> {
  return kernel.printk([{ text, level: error }])
}

/** Arguments are 32-bit: the structure lies where 32 bits reach. */
async function configure(
  kernel: RunningKernel,
  command: keyof typeof configureKernelDumpCommand,
  length?: number,
): Promise<number> {
  const { record } = kernel
  const status = await kernel.firmware.callRtas({
    token: record.rtas.configureKernelDump ?? 0,
    args: [
      configureKernelDumpCommand[command],
      Number(record.fdmAddress),
      length ?? profileOf(record).workBufferBytesOther,
    ],
  })
  return status === doesNotReturn ? rtasStatus.hardwareError : status
}

/** 3.4 `fadump_create_elfcore_headers`: the CPU notes are filled in by the capture kernel. */
function elfCoreHeader(record: KernelRecord, structure: DumpMemoryStructure): Uint8Array {
  const profile = profileOf(record)
  const { area, bootRegions } = record.fadump
  const ranges = crashMemoryRanges({
    profile,
    memoryRegions: record.memoryRegions,
    bootRegions,
    bootDestination: bootMemoryDestination(structure),
    area: area ?? { start: nowhere, end: nowhere },
  })
  const vmcoreinfo = relocated(record, structure, record.vmcoreinfo.address)
  const { bytesMax } = vmcoreinfoRules(record.profile, Number(record.pageSize))
  return encodeCoreHeaders({
    order: profile.byteOrder,
    flags: profile.elfFlags,
    notes: [
      { address: nowhere, length: byteLength(0n) },
      // `vmcoreinfo_max_size`, 36 bytes short of the whole note, as 3.4 has it.
      { address: vmcoreinfo, length: byteLength(bytesMax) },
    ],
    loads: ranges.map(({ range, savedAt }) => ({
      physical: range.start,
      address: savedAt,
      length: rangeLength(range),
    })),
  })
}

const nowhere: RealAddress = realAddress(0n)
