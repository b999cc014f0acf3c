/**
 * DMA in flight (fault `dma-in-flight`): an adapter that a reset did not quiesce goes on with the receive buffers of the
 * crashed kernel.
 *
 * When DMA lands, in life and here:
 *
 * - Until `ibm,os-term` the adapter writes into buffers that the running kernel has given it. That is the picture a dump is
 *   to show; nothing is wrong with it.
 * - From the crash to the end of the preserve the partition does not run, and firmware resets its adapters together with
 *   memory being kept (spec §7.1, step 6). Nothing lands between the copy of boot memory and the capture boot, so a copy
 *   never holds half of a frame, and the copy itself, in the reserved area, is out of reach: nobody maps that area.
 * - The capture kernel sets up its I/O bus (`iommu_init_table`) long before its drivers let an adapter write again. Linux
 *   relies on this order (`iommu_table_clear`, arch/powerpc/kernel/iommu.c): after a firmware-assisted dump the system has
 *   gone through a clean reboot, so it clears every entry instead of keeping the crashed kernel's as kdump must.
 * - Then the adapter is opened, and one that still holds old descriptors writes. That is the moment of this fault: when the
 *   capture kernel reports that it is up, before user space copies /proc/vmcore.
 *
 * A frame goes where the entries say at that moment. Entries that are gone stop it, and the adapter is told so (a TCE page
 * fault; EEH freezes a physical slot). Entries that were kept let it through: into boot memory, where the capture kernel
 * now lives while the dump keeps its copy, or above it, where the memory of the crashed kernel *is* the dump.
 */
import { allowsWrite, tceAddress } from '@fadump-lab/shared/hcall'
import type { MemoryWrite } from '@fadump-lab/shared/store'
import { fromAscii, realAddress } from '@fadump-lab/shared/units'
import { strike } from '../faults/armed-faults.ts'
import type { FirmwareRecord } from '../partition/firmware-record.ts'
import type { Step } from '../partition/partitions.ts'
import { ownsPage } from './owned-memory.ts'
import { entryAt, type TceTable } from './tce-table.ts'

/** An Ethernet frame of full length. */
const frameBytes = 1514
const frameText = 'frame that was in flight when the kernel crashed; '

/** What arrives: it is not in any memory of ours otherwise. */
export const frameInFlight: Uint8Array = fromAscii(
  frameText.repeat(Math.ceil(frameBytes / frameText.length)).slice(0, frameBytes),
)

/** `step`, which brings a capture kernel up, and what its adapter does if the fault strikes. */
export function withDma(
  step: Step<undefined> & { readonly record: FirmwareRecord },
  table: TceTable,
): Step<undefined> {
  const struck = strike(step.record, 'dma-in-flight')
  if (struck === undefined) return step
  const writes = table.inFlight.flatMap((address) => frameAt(step.record, table, address))
  const detail = { frames: table.inFlight.length, landed: writes.length }
  return {
    ...step,
    record: struck.record,
    ...(writes.length === 0 ? {} : { memory: { ...step.memory, writes } }),
    transitions: [
      ...(step.transitions ?? []),
      struck.transition,
      { aggregate: 'partition', event: 'dma-in-flight', detail },
    ],
  }
}

function frameAt(record: FirmwareRecord, table: TceTable, address: bigint): MemoryWrite[] {
  const tce = entryAt(table, address)
  if (!allowsWrite(tce) || !ownsPage(record, tce)) return []
  return [{ address: realAddress(tceAddress(tce)), bytes: frameInFlight }]
}
