/**
 * A process in the running partition that rewrites its pages: what changes memory between boot and crash. Every page says
 * what it is, as the content of a first boot does, so that a dump tells which of the rewrites it has caught.
 */
import { Problem, type Workload, type WorkloadDone } from '@fadump-lab/shared/contracts'
import { commandLineBytesMax } from '@fadump-lab/shared/fadump'
import { pageSize } from '@fadump-lab/shared/store'
import {
  describeLength,
  memoryRange,
  rangeOf,
  realAddress,
  type MemoryRange,
} from '@fadump-lab/shared/units'
import type { KernelRecord } from '../kernel/kernel-record.ts'
import type { RunningKernel } from '../kernel/running-kernel.ts'
import { contentPages, contentRuns, type ContentPlace } from './content.ts'
import { kernelEnd } from './kernel-image.ts'

/** Pages written at a time, which no crash divides: 1 MiB. */
const pagesPerWrite = 16
const page = BigInt(pageSize)

/**
 * Writes `pages` pages of `seed`, ascending in each of the places that content has. Errors: `invalid-configuration` when
 * they do not fit, `wrong-state` in a capture kernel, `stale-boot` when the partition crashes meanwhile.
 */
export async function runWorkload(
  kernel: RunningKernel,
  { seed, pages }: Workload,
): Promise<WorkloadDone> {
  requireUserSpace(kernel.record)
  const runs = contentRuns(BigInt(pages) * page, placeOf(kernel.record))
  if ('asked' in runs) {
    throw new Problem(
      'invalid-configuration',
      `${pages} pages of 64 KiB do not fit: beside kernel and reserved dump area there are ${describeLength(runs.available)}`,
    )
  }
  for (const run of runs) await writeRun(kernel, run, seed)
  return { ranges: runs.map(({ start, end }) => ({ start, end })) }
}

function requireUserSpace({ partition, isImage, fadump }: KernelRecord): void {
  if (fadump.isDumpActive) {
    throw new Problem('wrong-state', `${partition} is capturing a dump: no user space runs there`)
  }
  if (isImage) {
    throw new Problem('wrong-state', `the memory of ${partition} is an image and stays as it is`)
  }
}

function placeOf(record: KernelRecord): ContentPlace {
  const { fadump, memoryRegions, crashkernelArea, processors } = record
  const memoryBytes = memoryRegions.at(-1)?.end ?? 0n
  const { area, parameterArea } = fadump
  return {
    memoryBytes,
    kernelEnd: kernelEnd(processors),
    bootMemory: fadump.isEnabled ? fadump.bootMemoryTop : memoryBytes / 3n,
    reserved: [
      ...(area === undefined ? [] : [area]),
      ...(parameterArea === undefined ? [] : [rangeOf(parameterArea, BigInt(commandLineBytesMax))]),
      ...(crashkernelArea === undefined ? [] : [crashkernelArea]),
      ...memoryRegions.flatMap((region, index) => {
        const next = memoryRegions[index + 1]
        return next === undefined ? [] : [memoryRange(region.end, next.start)]
      }),
    ],
  }
}

async function writeRun(kernel: RunningKernel, run: MemoryRange, seed: number): Promise<void> {
  const first = run.start / page
  const count = Number((run.end - run.start) / page)
  for (let done = 0; done < count; done += pagesPerWrite) {
    const length = Math.min(pagesPerWrite, count - done)
    const start = first + BigInt(done)
    await kernel.memory.write(realAddress(start * page), contentPages(seed, start, length))
  }
}
