/** The DMA windows of a partition's virtual adapters, as the device tree states them (PAPR, `ibm,my-dma-window`). */
import { tcePageBytes } from '@fadump-lab/shared/hcall'
import { findNode, toCells, type DeviceNode } from '@fadump-lab/shared/fdt'

export interface DmaWindow {
  /** Logical I/O bus number: names the table of translation control entries. */
  readonly liobn: bigint
  /** First I/O bus address; a whole number of pages. */
  readonly start: bigint
  readonly entries: number
}

/** The most entries of one window that a kernel takes; what is above stays unused. 1 GiB of I/O bus. */
const windowEntriesMax = 0x4_0000
/** Logical I/O bus number, address and size, two cells each. */
const windowCells = 5

export function readDmaWindows(root: DeviceNode): DmaWindow[] {
  const adapters = findNode(root, '/vdevice')?.children ?? []
  return adapters.flatMap(({ properties }) => {
    const cells = toCells(properties.get('ibm,my-dma-window') ?? new Uint8Array(0))
    if (cells.length < windowCells) return []
    const [liobn = 0, startHigh = 0, startLow = 0, sizeHigh = 0, sizeLow = 0] = cells
    const entries = Number(of64(sizeHigh, sizeLow) / BigInt(tcePageBytes))
    const start = of64(startHigh, startLow)
    return [{ liobn: BigInt(liobn), start, entries: Math.min(entries, windowEntriesMax) }]
  })
}

function of64(high: number, low: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low)
}
