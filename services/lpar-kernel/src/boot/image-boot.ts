/**
 * The boot of a first kernel whose memory is an image: the real kernel's pages are there already and stay as they are.
 * The lab adds what fadump needs to one page that the image does not use: the dump memory structure, the buffer of
 * `ibm,os-term`, and VMCOREINFO if the image's own note was not found.
 *
 *     page + 0       dump memory structure
 *     page + 1000    message of ibm,os-term
 *     page + 2000    VMCOREINFO note, if need be
 */
import type { ImageNotes, Vcpu } from '@fadump-lab/shared/contracts'
import { encodeVmcoreinfoNote } from '@fadump-lab/shared/elf'
import { kernelOnlyRegisters, namedRegistersOfPtRegs } from '@fadump-lab/shared/fadump'
import { pageSize } from '@fadump-lab/shared/store'
import {
  advance,
  byteLength,
  fromBase64,
  hex,
  memoryRange,
  MiB,
  realAddress,
  toAscii,
  type RealAddress,
} from '@fadump-lab/shared/units'
import {
  createKernelRecord,
  type KernelRecord,
  type LoadedKernel,
} from '../kernel/kernel-record.ts'
import type { PartitionMemory } from '../memory/partition-memory.ts'
import { BootFailure, freshRecord, offlineCpusOf, type BootContext } from './boot-context.ts'
import { withFreeParameterArea } from './parameter-area.ts'
import { reserveMemory } from './reserve.ts'

const osTermOffset = 0x1000
const vmcoreinfoOffset = 0x2000
/** Where firmware reads at the latest: beyond it there may be no real mode area. */
const realModeMax = 256n * MiB
/** One page is what the lab takes; the note must fit behind the rest. */
const noteBytesMax = pageSize - vmcoreinfoOffset

export async function bootFromImage(
  context: BootContext,
  image: ImageNotes,
): Promise<LoadedKernel> {
  const { memory, facts, store, space, firmware } = context
  const plan = await withFreeParameterArea(memory, reserveMemory(context))
  const below = [plan.isEnabled ? plan.bootMemoryTop : realModeMax, facts.rmaSize, realModeMax]
  const page = await highestAbsentPage(
    memory,
    below.reduce((least, end) => (end < least ? end : least)),
  )
  const vmcoreinfo = await placeVmcoreinfo(context, image, page)
  const record = freshRecord(context, plan, {
    fdm: page,
    osTerm: advance(page, osTermOffset),
    vmcoreinfo: vmcoreinfo.address,
  })
  const offlineCpus = offlineCpusOf(context, true)
  await firmware.putVcpus(importedVcpus(image, context.partition.processors, offlineCpus))
  return createKernelRecord(store, space, {
    ...record,
    isImage: true,
    offlineCpus,
    vmcoreinfo: { address: vmcoreinfo.address, bytes: vmcoreinfo.bytes ?? record.vmcoreinfo.bytes },
    ...(offlineCpus.includes(image.crashingCpu) ? {} : { crashingCpu: image.crashingCpu }),
    imageRegisters: hiddenRegisters(image),
  })
}

/** The highest page of `[0, end)` that the image does not populate; never page 0, which firmware refuses. */
async function highestAbsentPage(memory: PartitionMemory, end: bigint): Promise<RealAddress> {
  const page = BigInt(pageSize)
  let free: bigint | undefined
  let next = page
  for await (const range of memory.populated(memoryRange(0n, end))) {
    if (range.start > next) free = range.start - page
    if (range.end > next) next = range.end
  }
  if (next + page <= end) free = end - (end % page) - page
  if (free !== undefined) return realAddress(free)
  throw new BootFailure(
    `every page of the image below ${hex(end)} is in use: fadump needs one page of 64 KiB there for its ` +
      'dump memory structure. Use an image with an empty page in low memory, or a partition with a larger rmaBytes.',
  )
}

/** The image's own note, or a copy of its text in our page. */
async function placeVmcoreinfo(
  context: BootContext,
  image: ImageNotes,
  page: RealAddress,
): Promise<{ readonly address: RealAddress; readonly bytes?: ReturnType<typeof byteLength> }> {
  if (image.vmcoreinfoAddress !== undefined) return { address: image.vmcoreinfoAddress }
  const text = toAscii(fromBase64(image.vmcoreinfo))
  const note = encodeVmcoreinfoNote(text, image.byteOrder)
  if (note.byteLength > noteBytesMax) {
    throw new BootFailure(
      `VMCOREINFO of the image takes ${note.byteLength} bytes, at most ${noteBytesMax} can be placed. ` +
        'Use an image that holds its VMCOREINFO note in memory.',
    )
  }
  const address = advance(page, vmcoreinfoOffset)
  await context.memory.write(address, note)
  return { address, bytes: byteLength(noteBytesMax) }
}

function importedVcpus(
  image: ImageNotes,
  processors: number,
  offlineCpus: readonly number[],
): Vcpu[] {
  const registers = new Map(image.cpus.map((cpu) => [cpu.cpu, cpu.registers]))
  const offline = new Set(offlineCpus)
  return Array.from({ length: processors }, (_, cpu) => {
    const values = registers.get(cpu)
    return offline.has(cpu) || values === undefined
      ? { cpu, online: false, registers: {} }
      : { cpu, online: true, registers: namedRegistersOfPtRegs(values) }
  })
}

function hiddenRegisters(image: ImageNotes): KernelRecord['imageRegisters'] {
  const kept = image.cpus.filter(
    ({ cpu, registers }) =>
      cpu === image.crashingCpu ||
      kernelOnlyRegisters.some((place) => (registers[place] ?? 0n) !== 0n),
  )
  return Object.fromEntries(kept.map(({ cpu, registers }) => [String(cpu), [...registers]]))
}
