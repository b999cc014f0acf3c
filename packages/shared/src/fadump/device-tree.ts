/**
 * The dump properties of `/rtas` (PAPR appendix "PAPR Binding"): what firmware writes, and what Linux makes of them in
 * `early_init_dt_scan_fw_dump`. All cells are big-endian.
 */
import { layout, u16, u32, u64 } from '../layout/index.ts'
import { rtasToken } from '../rtas/index.ts'
import { byteLength, concat, type ByteLength } from '../units/index.ts'
import {
  decodeDumpMemoryStructure,
  dumpFormatVersion,
  encodeDumpMemoryStructure,
  type DumpMemoryStructure,
} from './dump-memory-structure.ts'
import type { FirmwarePersonality } from './firmware-personalities.ts'
import type { KernelProfile, KernelSource } from './kernel-profiles.ts'
import { sectionType } from './section-types.ts'

export const dumpProperty = {
  configure: 'ibm,configure-kernel-dump',
  sizes: 'ibm,configure-kernel-dump-sizes',
  version: 'ibm,configure-kernel-dump-version',
  kernelDump: 'ibm,kernel-dump',
  osTerm: 'ibm,os-term',
  extendedOsTerm: 'ibm,extended-os-term',
} as const

export interface FirmwareDumpOption {
  /** Whether the option is enabled for the partition; without it there is none of the four dump properties (C001). */
  readonly dumpOption: boolean
  /** C007: without it a kernel never calls `ibm,os-term`. Default: it is there. */
  readonly hasExtendedOsTerm?: boolean
  readonly cpuStateSize: ByteLength
  readonly hpteSize: ByteLength
  /** The preserved structure while a dump waits (C006). */
  readonly dump?: DumpMemoryStructure
  readonly personality: Pick<FirmwarePersonality, 'versionByteOrder'>
}

const cellLayout = layout('cell', 4, [['value', 0, u32, 'cell', 'one 32-bit cell']])
export const dumpSizeLayout = layout('ibm,configure-kernel-dump-sizes', 12, [
  ['type', 0, u32, 'section', 'type of a section that firmware fills'],
  ['size', 4, u64, 'size', 'bytes that the operating system must provide'],
])
export const dumpVersionLayout = layout('ibm,configure-kernel-dump-version', 4, [
  ['versionMin', 0, u16, 'minimum', 'oldest supported version of the structure'],
  ['versionMax', 2, u16, 'maximum', 'newest supported version of the structure'],
])

/** The properties in which `/rtas` offers the dump option, to be merged with the service tokens. */
export function dumpProperties(option: FirmwareDumpOption): Map<string, Uint8Array> {
  const properties = new Map<string, Uint8Array>([
    [dumpProperty.osTerm, cell(rtasToken('ibm,os-term'))],
  ])
  if (option.hasExtendedOsTerm ?? true) {
    properties.set(dumpProperty.extendedOsTerm, new Uint8Array(0))
  }
  if (!option.dumpOption) return properties
  properties.set(dumpProperty.configure, cell(rtasToken('ibm,configure-kernel-dump')))
  properties.set(
    dumpProperty.sizes,
    encodeDumpSizes([
      { type: sectionType.cpuState, size: option.cpuStateSize },
      { type: sectionType.hpte, size: option.hpteSize },
    ]),
  )
  properties.set(dumpProperty.version, encodeDumpVersion(option.personality))
  if (option.dump !== undefined) {
    properties.set(dumpProperty.kernelDump, encodeDumpMemoryStructure(option.dump))
  }
  return properties
}

export interface DumpSize {
  readonly type: number
  readonly size: ByteLength
}

/** `-sizes`: type, size high, size low for each section that firmware fills. */
export function encodeDumpSizes(sizes: readonly DumpSize[]): Uint8Array {
  return concat(sizes.map((entry) => dumpSizeLayout.encode(entry, 'big')))
}

/** The whole entries of `-sizes`; a rest that is no entry is ignored, as Linux does. */
export function decodeDumpSizes(bytes: Uint8Array): DumpSize[] {
  const entries = Math.floor(bytes.byteLength / dumpSizeLayout.size)
  return Array.from({ length: entries }, (_, index) => {
    const { type, size } = dumpSizeLayout.decode(bytes, 'big', index * dumpSizeLayout.size)
    return { type, size: byteLength(size) }
  })
}

/** `-version`: two 16-bit cells. QEMU writes them in the byte order of its host (C005). */
export function encodeDumpVersion(
  personality: Pick<FirmwarePersonality, 'versionByteOrder'>,
): Uint8Array {
  const version = { versionMin: dumpFormatVersion, versionMax: dumpFormatVersion }
  return dumpVersionLayout.encode(version, personality.versionByteOrder)
}

/** What a kernel knows after its scan of `/rtas`. */
export interface ScannedFirmwareDump {
  /** C001: the token property is the whole test. */
  readonly isSupported: boolean
  readonly token: number
  readonly cpuStateSize: ByteLength
  readonly hpteSize: ByteLength
  /** Present in a capture boot. */
  readonly dump?: DumpMemoryStructure
  /** C007: without both, a crash returns from `ibm,os-term` before it is called. */
  readonly canTerminate: boolean
  readonly log: readonly string[]
}

/**
 * The scan of the `/rtas` properties. Without the token property nothing else counts; unknown section types and a
 * missing `-sizes` leave sizes 0 (C004). Throws `LayoutError` for an `ibm,kernel-dump` that is no structure.
 */
export function scanFirmwareDump(
  properties: ReadonlyMap<string, Uint8Array>,
  profile: Pick<KernelProfile, 'logPrefix' | 'kernelSource'>,
): ScannedFirmwareDump {
  const canTerminate =
    properties.has(dumpProperty.osTerm) && properties.has(dumpProperty.extendedOsTerm)
  const token = properties.get(dumpProperty.configure)
  const zero = byteLength(0n)
  if (token === undefined || token.byteLength < 4) {
    return {
      isSupported: false,
      token: 0,
      cpuStateSize: zero,
      hpteSize: zero,
      canTerminate,
      log: [],
    }
  }
  const sizes = decodeDumpSizes(properties.get(dumpProperty.sizes) ?? new Uint8Array(0))
  const sizeOf = (type: number): ByteLength =>
    sizes.findLast((entry) => entry.type === type)?.size ?? zero
  const dumpBytes = properties.get(dumpProperty.kernelDump)
  return {
    isSupported: true,
    token: cellLayout.decode(token, 'big').value,
    cpuStateSize: sizeOf(sectionType.cpuState),
    hpteSize: sizeOf(sectionType.hpte),
    ...(dumpBytes === undefined ? {} : { dump: decodeDumpMemoryStructure(dumpBytes) }),
    canTerminate,
    log: dumpBytes === undefined ? [] : scanMessages[profile.kernelSource](profile),
  }
}

/** 3.4 says nothing while it scans; 6.10 announces an active dump already here. */
const scanMessages = {
  '3.4': () => [],
  '6.10': ({ logPrefix }) => [`${logPrefix.platform}Firmware-assisted dump is active.`],
} satisfies Record<KernelSource, (profile: Pick<KernelProfile, 'logPrefix'>) => readonly string[]>

function cell(value: number): Uint8Array {
  return cellLayout.encode({ value }, 'big')
}
