/** What a kernel learns from its flattened device tree: memory, boot arguments, RTAS. */
import type { KernelProfile, ScannedFirmwareDump } from '@fadump-lab/shared/fadump'
import { scanFirmwareDump } from '@fadump-lab/shared/fadump'
import {
  decodeDeviceTree,
  findNode,
  toCells,
  toCells64,
  toText,
  type DeviceNode,
} from '@fadump-lab/shared/fdt'
import {
  byteLength,
  coalesce,
  rangeLength,
  rangeOf,
  type ByteLength,
  type MemoryRange,
} from '@fadump-lab/shared/units'
import { readDmaWindows, type DmaWindow } from '../iommu/dma-window.ts'
import type { KernelRecord } from '../kernel/kernel-record.ts'

export interface SystemFacts {
  /** `memblock.memory`: ascending, joined apart from memory that was added. */
  readonly memoryRegions: readonly MemoryRange[]
  /** The real mode area: the range at 0, or the part of it that firmware can address. */
  readonly rmaSize: ByteLength
  readonly bootArguments: string
  /** `reserved-ranges` of the root node: memory that firmware keeps for itself, which modern kernels do not reserve. */
  readonly occupiedRanges: readonly MemoryRange[]
  readonly rtas: KernelRecord['rtas']
  /** What adapters reach of the I/O bus. */
  readonly dmaWindows: readonly DmaWindow[]
  /** The scan for firmware-assisted dump. */
  readonly firmwareDump: ScannedFirmwareDump
}

/**
 * Throws `DeviceTreeError` or `LayoutError` for a tree that is none. `rmaMax` is the real mode area as the partition is
 * configured: a tree that states all memory in one range does not tell.
 */
export function readSystemFacts(
  blob: Uint8Array,
  profile: KernelProfile,
  rmaMax: ByteLength,
): SystemFacts {
  const { root } = decodeDeviceTree(blob)
  const ranges = root.children.filter((node) => isMemory(node) && !isAdded(node)).flatMap(rangesOf)
  const rtas = findNode(root, '/rtas')?.properties ?? new Map<string, Uint8Array>()
  const bootArguments = findNode(root, '/chosen')?.properties.get('bootargs')
  const first = ranges.find((range) => range.start === 0n)
  const firstLength = first === undefined ? byteLength(0n) : rangeLength(first)
  return {
    // As in memblock, what can be unplugged is not joined with what cannot.
    memoryRegions: [
      ...coalesce(ranges),
      ...coalesce(root.children.filter(isAdded).flatMap(rangesOf)),
    ],
    rmaSize: firstLength < rmaMax ? firstLength : rmaMax,
    bootArguments: bootArguments === undefined ? '' : toText(bootArguments),
    occupiedRanges: rangesIn(root, 'reserved-ranges'),
    rtas: {
      ...token('configureKernelDump', rtas.get('ibm,configure-kernel-dump')),
      ...token('osTerm', rtas.get('ibm,os-term')),
      ...token('systemReboot', rtas.get('system-reboot')),
      ...token('powerOff', rtas.get('power-off')),
      ...token('nmiRegister', rtas.get('ibm,nmi-register')),
      ...token('nmiInterlock', rtas.get('ibm,nmi-interlock')),
    },
    dmaWindows: readDmaWindows(root),
    firmwareDump: scanFirmwareDump(rtas, profile),
  }
}

function isMemory(node: DeviceNode): boolean {
  return node.name.split('@')[0] === 'memory'
}

function isAdded(node: DeviceNode): boolean {
  return isMemory(node) && node.properties.has('hotpluggable')
}

function rangesOf(node: DeviceNode): MemoryRange[] {
  return rangesIn(node, 'reg')
}

/** Two address cells and two size cells a range, as the root of every pSeries tree has them. */
function rangesIn(node: DeviceNode, property: 'reg' | 'reserved-ranges'): MemoryRange[] {
  const cells = toCells64(node.properties.get(property) ?? new Uint8Array(0))
  return Array.from({ length: Math.floor(cells.length / 2) }, (_, index) =>
    rangeOf(cells[2 * index] ?? 0n, cells[2 * index + 1] ?? 0n),
  )
}

function token(
  name: keyof KernelRecord['rtas'],
  property: Uint8Array | undefined,
): KernelRecord['rtas'] {
  const value = property === undefined ? undefined : toCells(property)[0]
  return value === undefined ? {} : { [name]: value }
}
