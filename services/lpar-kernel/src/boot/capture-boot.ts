/**
 * The boot of a capture kernel: the same kernel again, in boot memory only, which it overwrites. It checks the dump of
 * firmware, writes the notes of the CPUs, and presents the crashed kernel's memory as /proc/vmcore; or it rejects the
 * dump, gives the memory back and goes on as a first kernel.
 */
import {
  coreHeadersLength,
  CoreFormatError,
  composeCoreHeaders,
  decodeCoreHeaders,
  elfHeaderLayout,
  encodeCoreHeaders,
  encodePrstatusNote,
  noteTerminator,
  readCoreElfHeader,
  withCpuNotes,
  type NoteSegment,
} from '@fadump-lab/shared/elf'
import {
  bootMemoryDestination,
  bootRegionsOf,
  crashInfoAddress,
  crashInfoHeaderLength,
  crashMemoryRanges,
  encodeDumpMemoryStructure,
  noteBufferBytes,
  parameterAreaOf,
  processDump,
  sectionsOfType,
  sectionType,
  type AcceptedDump,
  type DumpMemoryStructure,
  type ReservationPlan,
} from '@fadump-lab/shared/fadump'
import { pageSize } from '@fadump-lab/shared/store'
import {
  alignUp,
  byteLength,
  concat,
  memoryRange,
  rangeLength,
  realAddress,
  toHostLength,
} from '@fadump-lab/shared/units'
import {
  createKernelRecord,
  type KernelRecord,
  type LoadedKernel,
} from '../kernel/kernel-record.ts'
import { capturePages } from '../memory/content.ts'
import { kernelEnd, symbolAddress } from '../memory/kernel-image.ts'
import { freshRecord, ownPlaces, tooSmall, type BootContext } from './boot-context.ts'
import { writeContent } from './first-boot.ts'
import { idleVcpus } from './idle-contexts.ts'
import { writeKernelMemory } from './kernel-memory.ts'
import { captureLifeOf, recordedLife } from './memory-life.ts'
import { clearParameterArea, withAppendedArguments } from './parameter-area.ts'
import { reserveMemory } from './reserve.ts'

/**
 * `accepted`: /proc/vmcore is there. `no vmcore`: the dump is good, but its ELF header is not (C107). `not reserved`:
 * the command line does not ask for fadump, so nobody looks at the dump and its memory is used again. `out of memory`:
 * boot memory has ended in a phase, and the record says in which.
 */
export interface CaptureBoot {
  readonly outcome: 'accepted' | 'rejected' | 'no vmcore' | 'not reserved' | 'out of memory'
  readonly loaded: LoadedKernel
  /** Why there is no /proc/vmcore. */
  readonly reason?: string
}

/** The largest register save area that is read: 4096 CPUs. */
const cpuStateBytesMax = 64 * 1024 * 1024
/** What the capture kernel's user space leaves in memory, from the end of the kernel image on: 1 MiB. */
const userSpacePages = 16

/** `windowMiB`: what one vmcore stream of this host reads ahead. */
export async function bootCaptureKernel(
  given: BootContext,
  dump: DumpMemoryStructure,
  windowMiB: number,
): Promise<CaptureBoot> {
  const context = await withAppendedArguments(given, dump)
  const plan = reserveMemory(context)
  if (!plan.isEnabled) return bootWithoutReservation(context, plan, dump)
  const end = kernelEnd(context.partition.processors)
  if (plan.bootMemorySize < end) throw tooSmall(context, end)
  const life = captureLifeOf(context, plan, windowMiB)
  if (life.through('kernel') !== undefined) {
    const record = captureRecord(context, plan, dump)
    const capture = recordedLife(context, life)
    const loaded = await start(context, { ...record, capture })
    return { outcome: 'out of memory', loaded }
  }
  const processed = await process(context, dump)
  await overwriteBootMemory(context, plan, processed.log)
  if (!processed.isAccepted) {
    const record = captureRecord(context, plan, dump)
    return { outcome: 'rejected', loaded: await start(context, record), reason: processed.reason }
  }
  const notes = await writeCpuNotes(context, processed)
  const record = captureRecord(context, plan, dump)
  try {
    const header = await placeElfCoreHeader(context, { plan, dump, processed, notes })
    const vmcore = { dump: context.partition.pendingDump ?? context.partition.id, ...header }
    const outcome = life.through('collector process') === undefined ? 'accepted' : 'out of memory'
    const capture = recordedLife(context, life)
    return { outcome, loaded: await start(context, { ...record, vmcore, capture }) }
  } catch (error) {
    if (!(error instanceof CoreFormatError)) throw error
    const reason = `Core image elf header is not sane: ${error.message}`
    return { outcome: 'no vmcore', loaded: await start(context, record), reason }
  }
}

/**
 * Nothing is reserved: the kernel takes all memory, the crashed kernel's included, and the dump is lost without a word.
 * Firmware goes on presenting it until it is invalidated.
 */
async function bootWithoutReservation(
  context: BootContext,
  plan: ReservationPlan,
  dump: DumpMemoryStructure,
): Promise<CaptureBoot> {
  const parameterArea = parameterAreaOf(dump)
  const known = parameterArea === undefined ? plan : { ...plan, parameterArea }
  await writeContent(context, known)
  // The kernel still knows the area, but its memory has been handed out and cleared like any other.
  await clearParameterArea(context.memory, known)
  await writeKernelMemory(context, known)
  const loaded = await start(context, captureRecord(context, known, dump))
  return {
    outcome: 'not reserved',
    loaded,
    reason:
      'the command line of the capture kernel does not enable fadump: its memory is used again',
  }
}

/** Reads what firmware and the first kernel have left, before anything is overwritten. */
async function process(context: BootContext, structure: DumpMemoryStructure) {
  const { memory, profile } = context
  const [cpuState] = sectionsOfType(structure, sectionType.cpuState)
  const length = toHostLength(cpuState?.bytesDumped ?? 0n, cpuStateBytesMax)
  return processDump({
    profile,
    structure,
    crashInfo: await memory.read(crashInfoAddress(structure), crashInfoHeaderLength(profile)),
    cpuState: await memory.read(realAddress(cpuState?.destinationAddress ?? 0n), length),
  })
}

/** As in life: whatever the first kernel had in boot memory is gone, and the copy is all there is. */
async function overwriteBootMemory(
  context: BootContext,
  plan: ReservationPlan,
  log: readonly string[],
): Promise<void> {
  const { memory, partition } = context
  for (const region of plan.bootRegions) await memory.clear(region)
  await writeKernelMemory(context, plan, log)
  const page = BigInt(pageSize)
  const first = kernelEnd(partition.processors)
  // A hole in boot memory ends what the kernel finds there first.
  const end = plan.bootRegions[0]?.end ?? plan.bootMemorySize
  const room = Math.max(0, Number((end - first) / page))
  const pages = capturePages(context.epoch, first / page, Math.min(userSpacePages, room))
  await memory.write(realAddress(first), pages)
}

function captureRecord(
  context: BootContext,
  plan: ReservationPlan,
  dump: DumpMemoryStructure,
): KernelRecord {
  const record = freshRecord(context, plan, ownPlaces)
  return {
    ...record,
    boot: 'capture',
    fadump: {
      ...record.fadump,
      isDumpActive: true,
      hasReleaseFile: true,
      dump: encodeDumpMemoryStructure(dump),
    },
  }
}

async function start(context: BootContext, record: KernelRecord): Promise<LoadedKernel> {
  const { partition, store, space, firmware } = context
  await firmware.putVcpus(
    idleVcpus(partition.profile, partition.processors, new Set(record.offlineCpus)),
  )
  return createKernelRecord(store, space, record)
}

/** NT_PRSTATUS of each CPU, ended by an empty note, in whole pages of this kernel's memory. */
async function writeCpuNotes(context: BootContext, dump: AcceptedDump): Promise<NoteSegment> {
  const { memory, profile, partition } = context
  const address = symbolAddress('cpu_notes_buf')
  const notes = dump.cpus.map(({ cpu, ptRegs }) =>
    encodePrstatusNote(
      { pid: partition.prstatusPids === 'distinct' ? cpu + 1 : 0, registers: ptRegs },
      profile.byteOrder,
    ),
  )
  await memory.write(address, concat([...notes, noteTerminator]))
  const length = alignUp(BigInt(dump.savedCpus * noteBufferBytes), profile.pageSize)
  return { address, length: byteLength(length) }
}

interface ElfCoreHeaderInput {
  readonly plan: ReservationPlan
  readonly dump: DumpMemoryStructure
  readonly processed: AcceptedDump
  readonly notes: NoteSegment
}

/** v5 completes what the first kernel has left; modern builds the header itself. Throws `CoreFormatError`. */
async function placeElfCoreHeader(
  context: BootContext,
  input: ElfCoreHeaderInput,
): Promise<Pick<NonNullable<KernelRecord['vmcore']>, 'elfCoreHeader' | 'elfCoreHeaderBytes'>> {
  const { memory } = context
  const { header } = input.processed
  if (header.format === 'FADMPSIG') {
    const elfCoreHeader = symbolAddress('elfcorehdr')
    const bytes = buildElfCoreHeader(context, input, {
      address: header.vmcoreinfoAddress,
      length: byteLength(header.vmcoreinfoSize),
    })
    await memory.write(elfCoreHeader, bytes)
    return { elfCoreHeader, elfCoreHeaderBytes: bytes.byteLength }
  }
  const elfCoreHeader = header.elfCoreHeaderAddress
  const head = readCoreElfHeader(await memory.read(elfCoreHeader, elfHeaderLayout.size))
  const length = coreHeadersLength(head.header.programHeaderCount)
  const headers = decodeCoreHeaders(await memory.read(elfCoreHeader, length))
  await memory.write(elfCoreHeader, composeCoreHeaders(withCpuNotes(headers, input.notes)))
  return { elfCoreHeader, elfCoreHeaderBytes: length }
}

/** `fadump_create_elfcorehdr` of 6.10. */
function buildElfCoreHeader(
  { facts, profile }: BootContext,
  { plan, dump, notes }: ElfCoreHeaderInput,
  vmcoreinfo: NoteSegment,
): Uint8Array {
  const ranges = crashMemoryRanges({
    profile,
    memoryRegions: facts.memoryRegions,
    bootRegions: bootRegionsOf(dump),
    bootDestination: bootMemoryDestination(dump),
    area: plan.area ?? memoryRange(0n, 0n),
  })
  return encodeCoreHeaders({
    order: profile.byteOrder,
    flags: profile.elfFlags,
    notes: [notes, vmcoreinfo],
    loads: ranges.map(({ range, savedAt }) => ({
      physical: range.start,
      address: savedAt,
      length: rangeLength(range),
    })),
  })
}
