/**
 * The end of a dump in the capture kernel: /proc/vmcore goes, firmware is told, memory is free again except for the
 * dump area, where the next dump will go (`fadump_invalidate_release_mem`).
 */
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
  if (!(await kernel.update({ vmcore: undefined }))) return 'conflict'
  const { area, bootMemoryTop } = kernel.record.fadump
  const isInvalid = await invalidateDump(kernel)
  const rules = fadumpRules[kernel.record.profile]
  const end = kernel.record.memoryRegions.at(-1)?.end
  if (rules.releaseLine !== undefined && end !== undefined) {
    await kernel.printk([rules.releaseLine(area?.end ?? bootMemoryTop, end)])
  }
  if (!isInvalid) return 'firmware refused'
  const saved = await kernel.update({
    fadump: { ...kernel.record.fadump, isDumpActive: false, dump: undefined },
    isServiceDue: kernel.record.dumpService,
  })
  return saved ? 'released' : 'conflict'
}
