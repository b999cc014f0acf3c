/** The I/O memory management unit as a kernel sets it up: at boot, and when its network comes up. */
import type { BootContext } from '../boot/boot-context.ts'
import type { KernelRecord } from '../kernel/kernel-record.ts'
import { clearTable, mapPages } from './iommu-table.ts'
import { receiveBuffers } from './receive-buffers.ts'

type Context = Pick<BootContext, 'facts' | 'firmware' | 'partition'>

/** Defect `keeps-tce-entries`: the capture kernel takes itself for one of kdump. */
function keepsEntries({ facts, partition }: Context): boolean {
  return (
    facts.firmwareDump.dump !== undefined && partition.kernelDefects.includes('keeps-tce-entries')
  )
}

/** `iommu_init_table`, while the kernel finds its devices. */
export async function setUpIommu(context: Context): Promise<void> {
  if (keepsEntries(context)) return
  for (const window of context.facts.dmaWindows) await clearTable(context.firmware, window)
}

/** User space brings the network up: each adapter is given its receive buffers. */
export async function openAdapters(context: Context, record: KernelRecord): Promise<void> {
  const given = { pages: receiveBuffers(record), keepsEntries: keepsEntries(context) }
  for (const window of context.facts.dmaWindows) await mapPages(context.firmware, window, given)
}
