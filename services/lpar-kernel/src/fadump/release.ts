/**
 * The end of a dump in the capture kernel: /proc/vmcore goes, firmware is told, memory is free again except for the
 * dump area, where the next dump will go (`fadump_invalidate_release_mem`).
 */
import { rtasStatus } from '@fadump-lab/shared/rtas'
import { alignDown, fromAscii } from '@fadump-lab/shared/units'
import type { RunningKernel } from '../kernel/running-kernel.ts'
import { fadumpRules } from './profile-rules.ts'
import { invalidateDump } from './register.ts'

/** What a release led to. `conflict`: another host changed the kernel's state at the same time. */
export type ReleaseOutcome = 'released' | 'firmware refused' | 'conflict'

/**
 * Releases the dump. The record loses its vmcore first, in one commit: from then on no host serves a byte of it, even
 * if this one dies before firmware is told. A release that was cut off there is completed by the next one.
 */
export async function releaseDump(kernel: RunningKernel): Promise<ReleaseOutcome> {
  const wasCutOff = kernel.record.isReleasing
  if (!(await kernel.update({ vmcore: undefined, isReleasing: true }))) return 'conflict'
  const status = await invalidateDump(kernel)
  await logFreedMemory(kernel)
  // A release that was cut off may have got as far as firmware, which then knows of no dump.
  const isInvalid =
    status === rtasStatus.success || (wasCutOff && status === rtasStatus.parameterError)
  if (!isInvalid) {
    await kernel.update({ isReleasing: false })
    return 'firmware refused'
  }
  const losesHeader = kernel.record.headerPage === 'freed by release'
  if (losesHeader) await writeOverParameters(kernel)
  const saved = await kernel.update({
    ...(losesHeader ? { headerPage: 'freed' as const } : {}),
    fadump: { ...kernel.record.fadump, isDumpActive: false, dump: undefined },
    isReleasing: false,
    isServiceDue: kernel.record.dumpService,
  })
  return saved ? 'released' : 'conflict'
}

/** What a real kernel read there after such a release. */
async function writeOverParameters({ record, memory }: RunningKernel): Promise<void> {
  const { parameterArea } = record.fadump
  if (parameterArea !== undefined) await memory.write(parameterArea, fromAscii('-'))
}

/** What is freed begins with the page that holds the end of the area. */
async function logFreedMemory(kernel: RunningKernel): Promise<void> {
  const { fadump, memoryRegions, profile, pageSize } = kernel.record
  const line = fadumpRules[profile].releaseLine
  const end = memoryRegions.at(-1)?.end
  if (line === undefined || end === undefined) return
  const start = alignDown(fadump.area?.end ?? fadump.bootMemoryTop, pageSize)
  await kernel.printk([line(start, end)])
}
