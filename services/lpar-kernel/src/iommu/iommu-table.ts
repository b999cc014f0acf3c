/**
 * What a kernel does with the translation control entries of its adapters when it boots (`iommu_table_clear`,
 * arch/powerpc/kernel/iommu.c). Any kernel clears the whole table, "in case firmware left allocations in it"; only one of
 * kdump keeps the entries it finds and works around them, because without a reset adapters may still go by them. A kernel
 * with an active firmware-assisted dump looks like one of kdump (there is an ELF core header) but has been through a
 * reset: since the series it asks for that, too, and clears.
 */
import {
  hcallReturn,
  isTceMapped,
  tceCountMax,
  tceOf,
  tcePageBytes,
  tcePermission,
} from '@fadump-lab/shared/hcall'
import type { RealAddress } from '@fadump-lab/shared/units'
import type { FirmwareClient } from '../firmware/firmware-client.ts'
import type { DmaWindow } from './dma-window.ts'

type Firmware = Pick<FirmwareClient, 'hypervisorCall'>

/** Makes every entry of the window "page fault". Linux does not look at what the calls return, either. */
export async function clearTable(firmware: Firmware, window: DmaWindow): Promise<void> {
  for (let index = 0; index < window.entries; index += tceCountMax) {
    const address = addressOf(window, index)
    const count = BigInt(Math.min(tceCountMax, window.entries - index))
    await firmware.hypervisorCall('H_STUFF_TCE', [window.liobn, address, 0n, count])
  }
}

/**
 * Maps pages for an adapter to read and write, at the lowest I/O bus addresses that are free. `keepsEntries`: entries that
 * are there already are somebody else's (the reserved ones of kdump). Gives how many pages were mapped: a full table, or a
 * hypervisor that refuses, ends it.
 */
export async function mapPages(
  firmware: Firmware,
  window: DmaWindow,
  given: { readonly pages: readonly RealAddress[]; readonly keepsEntries: boolean },
): Promise<number> {
  let index = 0
  for (const [mapped, page] of given.pages.entries()) {
    if (given.keepsEntries) index = await nextFree(firmware, window, index)
    if (index >= window.entries) return mapped
    const tce = tceOf(page, tcePermission.read | tcePermission.write)
    const args = [window.liobn, addressOf(window, index), tce]
    const { code } = await firmware.hypervisorCall('H_PUT_TCE', args)
    if (code !== hcallReturn.H_SUCCESS) return mapped
    index++
  }
  return given.pages.length
}

/** From `first` on. Linux asks for every entry of the table while it boots; here only for those it wants to use. */
async function nextFree(firmware: Firmware, window: DmaWindow, first: number): Promise<number> {
  for (let index = first; index < window.entries; index++) {
    const args = [window.liobn, addressOf(window, index)]
    const { outputs } = await firmware.hypervisorCall('H_GET_TCE', args)
    if (!isTceMapped(outputs[0] ?? 0n)) return index
  }
  return window.entries
}

function addressOf(window: DmaWindow, index: number): bigint {
  return window.start + BigInt(index) * BigInt(tcePageBytes)
}
