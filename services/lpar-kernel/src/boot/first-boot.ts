/** The boot of a first kernel from nothing: its image, its log, content that fills memory, idle CPUs. */
import type { MemoryContent } from '@fadump-lab/shared/contracts'
import { commandLineBytesMax, type ReservationPlan } from '@fadump-lab/shared/fadump'
import { pageSize } from '@fadump-lab/shared/store'
import {
  alignUp,
  describeLength,
  memoryRange,
  rangeLength,
  rangeOf,
  realAddress,
  type MemoryRange,
} from '@fadump-lab/shared/units'
import { createKernelRecord, type LoadedKernel } from '../kernel/kernel-record.ts'
import { contentPages, contentRuns, defaultContent } from '../memory/content.ts'
import { kernelEnd } from '../memory/kernel-image.ts'
import {
  BootFailure,
  freshRecord,
  memoryBytesOf,
  memoryEndOf,
  ownPlaces,
  tooSmall,
  type BootContext,
} from './boot-context.ts'
import { reserveCrashkernel } from './crashkernel.ts'
import { idleVcpus } from './idle-contexts.ts'
import { writeKernelMemory } from './kernel-memory.ts'
import { clearParameterArea } from './parameter-area.ts'
import { reserveMemory } from './reserve.ts'

/** Pages of content written at a time: 1 MiB. */
const pagesPerWrite = 16

export async function bootFirstKernel(context: BootContext): Promise<LoadedKernel> {
  const { partition, facts } = context
  const end = kernelEnd(partition.processors)
  if (memoryBytesOf(facts) < end) throw tooSmall(context, end)
  const plan = reserveMemory(context)
  await writeContent(context, plan)
  await clearParameterArea(context.memory, plan)
  await writeKernelMemory(context, plan)
  return startKernel(context, plan)
}

/** CPUs idle, the record says that the kernel is up. */
export async function startKernel(
  context: BootContext,
  plan: ReservationPlan,
): Promise<LoadedKernel> {
  const { partition, store, space, firmware } = context
  const record = freshRecord(context, plan, ownPlaces)
  await firmware.putVcpus(
    idleVcpus(partition.profile, partition.processors, new Set(record.offlineCpus)),
  )
  return createKernelRecord(store, space, record)
}

/** Fills memory with what a running system would have in it. Throws `BootFailure` when that is asked for and does not fit. */
export async function writeContent(context: BootContext, plan: ReservationPlan): Promise<void> {
  const { partition, facts } = context
  const content = partition.content ?? defaultContent(partition.id)
  const memoryBytes = memoryEndOf(facts)
  const lent = lentRun(plan, content)
  const crashkernel = reserveCrashkernel(context, plan).area
  const runs = contentRuns(content.populatedBytes - rangeLength(lent), {
    memoryBytes,
    kernelEnd: kernelEnd(partition.processors),
    // Without a reservation there is no boot memory: a third of all memory plays its part.
    bootMemory: plan.isEnabled ? plan.bootMemoryTop : memoryBytes / 3n,
    reserved: [
      ...reservedRanges(plan),
      ...holesOf(facts.memoryRegions),
      ...facts.occupiedRanges,
      ...(crashkernel === undefined ? [] : [crashkernel]),
    ],
  })
  if ('asked' in runs) {
    // A small partition that asks for nothing in particular holds what fits.
    if (partition.content !== undefined) throw contentTooLarge(partition.id, runs)
    return
  }
  for (const run of [...runs, lent]) await writeRun(context, run, content.seed)
}

/** C086: user pages that live in the CMA area until firmware writes the copy of boot memory over them. */
function lentRun({ cmaArea }: ReservationPlan, { movableBytes }: MemoryContent): MemoryRange {
  if (cmaArea === undefined || movableBytes === undefined) return rangeOf(0n, 0n)
  const room = rangeLength(cmaArea)
  const wanted = alignUp(movableBytes, BigInt(pageSize))
  return rangeOf(cmaArea.start, wanted < room ? wanted : room)
}

function holesOf(regions: readonly MemoryRange[]): MemoryRange[] {
  return regions.flatMap((region, index) => {
    const next = regions[index + 1]
    return next === undefined ? [] : [memoryRange(region.end, next.start)]
  })
}

function reservedRanges({ area, parameterArea }: ReservationPlan): MemoryRange[] {
  return [
    ...(area === undefined ? [] : [area]),
    ...(parameterArea === undefined ? [] : [rangeOf(parameterArea, BigInt(commandLineBytesMax))]),
  ]
}

function contentTooLarge(
  partition: string,
  { asked, available }: { readonly asked: bigint; readonly available: bigint },
): BootFailure {
  return new BootFailure(
    `content.populatedBytes ${describeLength(asked)} of partition ${partition} does not fit: ` +
      `beside kernel and reserved dump area there are ${describeLength(available)}. Ask for less, or give it more memory.`,
  )
}

async function writeRun(
  { memory, clock, signal }: BootContext,
  run: MemoryRange,
  seed: number,
): Promise<void> {
  const page = BigInt(pageSize)
  const windowBytes = BigInt(pagesPerWrite) * page
  for (let start: bigint = run.start; start < run.end; start += windowBytes) {
    const left = (run.end - start) / page
    const count = left < BigInt(pagesPerWrite) ? Number(left) : pagesPerWrite
    await memory.write(realAddress(start), contentPages(seed, start / page, count))
    // A store in this process answers at once: others must have their turn.
    await clock.sleep(0, signal)
  }
}
