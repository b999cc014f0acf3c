/**
 * The crash info header: what the first kernel leaves for the capture kernel directly behind the copy of boot memory
 * (`struct fadump_crash_info_header`, asm/fadump.h and fadump-internal.h). Its byte order is that of the crashed
 * kernel, not PAPR's. `FADMPINF` until 6.9, `FADMPSIG` version 1 from 6.10 on.
 */
import { bytes as byteField, layout, u32, u64, type ByteOrder } from '../layout/index.ts'
import { invariant, realAddress, viewOf, type RealAddress } from '../units/index.ts'
import type { KernelProfile } from './kernel-profiles.ts'
import { decodePtRegs, encodePtRegs, type PtRegs } from './pt-regs.ts'
import { registerId } from './register-identifiers.ts'

/** Magic as a u64 (spells the name when written big-endian). */
export const crashInfoMagic = {
  FADMPINF: registerId('FADMPINF'),
  FADMPSIG: registerId('FADMPSIG'),
} as const
export const crashInfoVersion = 1
/** `crashing_cpu` until a CPU crashes: firmware may end the partition without the kernel. */
export const crashingCpuUnknown = 0xffff_ffff

/** What of a profile shapes the header. */
export type CrashInfoShape = Pick<
  KernelProfile,
  'byteOrder' | 'crashInfoFormat' | 'ptRegsCount' | 'nrCpus'
>

interface CrashInfoCommon {
  /** `crashingCpuUnknown` until the crash. */
  readonly crashingCpu: number
  readonly registers: PtRegs
  /** CPUs whose registers belong into the dump. */
  readonly cpuMask: ReadonlySet<number>
}

export type CrashInfoHeader =
  | (CrashInfoCommon & {
      readonly format: 'FADMPINF'
      /** Where the first kernel has put the ELF core header. */
      readonly elfCoreHeaderAddress: RealAddress
    })
  | (CrashInfoCommon & {
      readonly format: 'FADMPSIG'
      readonly version: number
      /** The VMCOREINFO note, after relocation. */
      readonly vmcoreinfoAddress: RealAddress
      readonly vmcoreinfoSize: bigint
    })

const oldLayout = (shape: CrashInfoShape) =>
  layout('fadump_crash_info_header', 24 + regsBytes(shape) + maskBytes(shape), [
    ['magicNumber', 0x00, u64, 'magic_number', '"FADMPINF"'],
    [
      'elfCoreHeaderAddress',
      0x08,
      u64,
      'elfcorehdr_addr',
      'ELF core header, right behind this one',
    ],
    ['crashingCpu', 0x10, u32, 'crashing_cpu', '0xffffffff until the crash'],
    ['padding', 0x14, u32, '(padding)', '0'],
    ['regs', 0x18, byteField(regsBytes(shape)), 'regs', 'registers of the crashing CPU'],
    [
      'cpuMask',
      0x18 + regsBytes(shape),
      byteField(maskBytes(shape)),
      'cpu_online_mask',
      'online CPUs',
    ],
  ])

const newLayout = (shape: CrashInfoShape) =>
  layout('fadump_crash_info_header', 40 + regsBytes(shape) + maskBytes(shape), [
    ['magicNumber', 0x00, u64, 'magic_number', '"FADMPSIG"'],
    ['version', 0x08, u32, 'version', '1'],
    ['crashingCpu', 0x0c, u32, 'crashing_cpu', '0xffffffff until the crash'],
    ['vmcoreinfoAddress', 0x10, u64, 'vmcoreinfo_raddr', 'VMCOREINFO note, relocated'],
    ['vmcoreinfoSize', 0x18, u64, 'vmcoreinfo_size', 'bytes of the VMCOREINFO note'],
    ['ptRegsSize', 0x20, u32, 'pt_regs_sz', 'sizeof(struct pt_regs)'],
    ['cpuMaskSize', 0x24, u32, 'cpu_mask_sz', 'sizeof(struct cpumask)'],
    ['regs', 0x28, byteField(regsBytes(shape)), 'regs', 'registers of the crashing CPU'],
    [
      'cpuMask',
      0x28 + regsBytes(shape),
      byteField(maskBytes(shape)),
      'cpu_mask',
      'CPUs to be dumped',
    ],
  ])

const regsBytes = (shape: CrashInfoShape): number => 8 * shape.ptRegsCount
const maskBytes = (shape: CrashInfoShape): number => shape.nrCpus / 8

/** `sizeof(struct fadump_crash_info_header)`: 504 for v5, 680 for modern. */
export function crashInfoHeaderLength(shape: CrashInfoShape): number {
  return (shape.crashInfoFormat === 'FADMPINF' ? oldLayout(shape) : newLayout(shape)).size
}

/** The layout of each format, given the sizes that a kernel was built with. */
export const crashInfoLayouts = { FADMPINF: oldLayout, FADMPSIG: newLayout } as const

/** The layout of a profile's header. */
export function crashInfoHeaderLayout(
  shape: CrashInfoShape,
): ReturnType<typeof oldLayout> | ReturnType<typeof newLayout> {
  return crashInfoLayouts[shape.crashInfoFormat](shape)
}

/** Sizes and byte order come from `shape`, whose format must be the header's. */
export function encodeCrashInfoHeader(header: CrashInfoHeader, shape: CrashInfoShape): Uint8Array {
  invariant(
    header.format === shape.crashInfoFormat && header.registers.length === shape.ptRegsCount,
    `a ${header.format} header with ${header.registers.length} registers is not that of a ${shape.crashInfoFormat} kernel with ${shape.ptRegsCount}`,
  )
  const common = {
    magicNumber: crashInfoMagic[header.format],
    crashingCpu: header.crashingCpu,
    regs: encodePtRegs(header.registers, shape.byteOrder),
    cpuMask: encodeCpuMask(header.cpuMask, shape),
  }
  if (header.format === 'FADMPINF') {
    const { elfCoreHeaderAddress } = header
    return oldLayout(shape).encode({ ...common, elfCoreHeaderAddress, padding: 0 }, shape.byteOrder)
  }
  return newLayout(shape).encode(
    {
      ...common,
      version: header.version,
      vmcoreinfoAddress: header.vmcoreinfoAddress,
      vmcoreinfoSize: header.vmcoreinfoSize,
      ptRegsSize: regsBytes(shape),
      cpuMaskSize: maskBytes(shape),
    },
    shape.byteOrder,
  )
}

/** The header as a kernel of `shape` reads it; call `checkCrashInfoHeader` first. Throws `LayoutError` when too short. */
export function decodeCrashInfoHeader(bytes: Uint8Array, shape: CrashInfoShape): CrashInfoHeader {
  const common = (value: { regs: Uint8Array; cpuMask: Uint8Array; crashingCpu: number }) => ({
    crashingCpu: value.crashingCpu,
    registers: decodePtRegs(value.regs, shape.byteOrder),
    cpuMask: decodeCpuMask(value.cpuMask, shape.byteOrder),
  })
  if (shape.crashInfoFormat === 'FADMPINF') {
    const value = oldLayout(shape).decode(bytes, shape.byteOrder)
    const elfCoreHeaderAddress = realAddress(value.elfCoreHeaderAddress)
    return { format: 'FADMPINF', ...common(value), elfCoreHeaderAddress }
  }
  const value = newLayout(shape).decode(bytes, shape.byteOrder)
  return {
    format: 'FADMPSIG',
    ...common(value),
    version: value.version,
    vmcoreinfoAddress: realAddress(value.vmcoreinfoAddress),
    vmcoreinfoSize: value.vmcoreinfoSize,
  }
}

/** Why a capture kernel refuses a header; `message` is what it logs. */
export interface CrashInfoRefusal {
  readonly reason: 'not-valid' | 'old-magic' | 'byte-order' | 'corrupted' | 'size-mismatch'
  readonly message: string
}

/**
 * The compatibility check of the capture kernel: `undefined` when it goes on. v5 knows one magic and one message
 * (C096); modern tells four cases apart (C095). The version is not compared, by either.
 */
export function checkCrashInfoHeader(
  bytes: Uint8Array,
  shape: CrashInfoShape,
): CrashInfoRefusal | undefined {
  const magic = bytes.byteLength < 8 ? 0n : viewOf(bytes).getBigUint64(0, isLittle(shape.byteOrder))
  const isWhole = bytes.byteLength >= crashInfoHeaderLength(shape)
  if (shape.crashInfoFormat === 'FADMPINF') {
    return magic === crashInfoMagic.FADMPINF && isWhole
      ? undefined
      : { reason: 'not-valid', message: 'Crash info header is not valid.' }
  }
  return refusals.find((row) => row.applies({ bytes, shape, magic, isWhole }))
}

interface CheckedHeader {
  readonly bytes: Uint8Array
  readonly shape: CrashInfoShape
  readonly magic: bigint
  readonly isWhole: boolean
}

/** `is_fadump_header_compatible`, in its order. */
const refusals: readonly (CrashInfoRefusal & { applies(header: CheckedHeader): boolean })[] = [
  {
    reason: 'old-magic',
    message: "Old magic number, can't process the dump.",
    applies: ({ magic }) => magic === crashInfoMagic.FADMPINF,
  },
  {
    reason: 'byte-order',
    message: 'Endianness mismatch between the crashed and fadump kernels.',
    applies: ({ magic }) => swap64(magic) === crashInfoMagic.FADMPSIG,
  },
  {
    reason: 'corrupted',
    message: 'Fadump header is corrupted.',
    applies: ({ magic, isWhole }) => magic !== crashInfoMagic.FADMPSIG || !isWhole,
  },
  {
    reason: 'size-mismatch',
    message: 'Fadump header size mismatch.',
    applies: ({ bytes, shape }) => {
      const value = newLayout(shape).decode(bytes, shape.byteOrder)
      return value.ptRegsSize !== regsBytes(shape) || value.cpuMaskSize !== maskBytes(shape)
    },
  },
]

/** Bit c % 64 of word c / 64, words in the kernel's byte order. */
export function encodeCpuMask(cpus: ReadonlySet<number>, shape: CrashInfoShape): Uint8Array {
  const mask = new Uint8Array(maskBytes(shape))
  const view = viewOf(mask)
  const little = isLittle(shape.byteOrder)
  for (const cpu of cpus) {
    invariant(cpu >= 0 && cpu < shape.nrCpus, `CPU ${cpu} is outside a mask of ${shape.nrCpus}`)
    const word = 8 * Math.floor(cpu / 64)
    view.setBigUint64(word, view.getBigUint64(word, little) | (1n << BigInt(cpu % 64)), little)
  }
  return mask
}

export function decodeCpuMask(mask: Uint8Array, order: ByteOrder): Set<number> {
  const cpus = new Set<number>()
  const view = viewOf(mask)
  for (let word = 0; word + 8 <= mask.byteLength; word += 8) {
    const bits = view.getBigUint64(word, isLittle(order))
    for (let bit = 0; bits >> BigInt(bit) !== 0n; bit += 1) {
      if (((bits >> BigInt(bit)) & 1n) === 1n) cpus.add(8 * word + bit)
    }
  }
  return cpus
}

function isLittle(order: ByteOrder): boolean {
  return order === 'little'
}

function swap64(value: bigint): bigint {
  const bytes = new Uint8Array(8)
  const view = viewOf(bytes)
  view.setBigUint64(0, value)
  return view.getBigUint64(0, true)
}
