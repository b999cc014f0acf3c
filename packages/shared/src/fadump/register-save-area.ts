/**
 * The register save area (PAPR appendix "Firmware Assisted Dump Data Format"; `rtas_fadump_build_cpu_notes`):
 * header, number of CPUs, then for each CPU online at the start of the dump `CPUSTRT`, registers, `CPUEND`, in
 * entries of 16 bytes. Big-endian. A reader finds the count through NumCpusOffset: 0x1C in PAPR, 0x10 in QEMU.
 *
 * PHYP's size per CPU is not public. 502 identifiers need 8 032 bytes, so 8 KiB a CPU is reserved here; with that,
 * the 0x40020 bytes of the kernel documentation's example are 32 CPUs.
 */
import { layout, u32, u64 } from '../layout/index.ts'
import { byteLength, hex, invariant, viewOf, type ByteLength } from '../units/index.ts'
import type { FirmwarePersonality } from './firmware-personalities.ts'
import {
  cpuEndId,
  cpuStartId,
  misprintedIdentifiers,
  registerId,
  registerIdentifiers,
  registerName,
  registerNames,
  type RegisterIdentifier,
} from './register-identifiers.ts'

export const registerSaveAreaMagic: bigint = registerId('REGSAVE')
export const registerSaveAreaVersion = 0

export const registerSaveAreaHeaderLayout = layout('rtas_fadump_reg_save_area_header', 16, [
  ['magicNumber', 0x00, u64, 'magic_number', '"REGSAVE" and NUL'],
  ['version', 0x08, u32, 'version', '0'],
  ['numCpuOffset', 0x0c, u32, 'num_cpu_offset', 'where the number of CPUs stands'],
])
export const registerEntryLayout = layout('rtas_fadump_reg_entry', 16, [
  ['registerId', 0x00, u64, 'reg_id', 'ASCII name, NUL-padded'],
  ['registerValue', 0x08, u64, 'reg_value', 'value; the logical CPU id in CPUSTRT and CPUEND'],
])

const entryBytes = registerEntryLayout.size
/** Header, padding and the number of CPUs. */
const prologueBytes = 0x20
export const registerSaveBytesPerCpu = 0x2000
/** CPUSTRT and CPUEND. */
const markersPerCpu = 2
/** The most CPUs one area may name; more than any Linux supports. */
export const registerSaveCpusMax = 65_536
/** CPUSTRT and CPUEND carry the CPU id in the low half of the value; Linux masks the rest away. */
const cpuIdMask = 0xffff_ffffn

/** One CPU's context; registers under their PAPR names. */
export interface SavedCpu {
  readonly cpu: number
  readonly registers: Readonly<Record<string, bigint>>
}

/** How a personality lays out the area. */
export type SaveAreaFormat = Pick<
  FirmwarePersonality,
  'numCpusOffset' | 'savedRegisters' | 'zeroRegisters'
>

/** What firmware advertises in `ibm,configure-kernel-dump-sizes` for a partition of `cpusMax` CPUs. */
export function registerSaveAreaLength(
  cpusMax: number,
  { savedRegisters }: Pick<SaveAreaFormat, 'savedRegisters'> = {},
): ByteLength {
  const perCpu =
    savedRegisters === undefined
      ? registerSaveBytesPerCpu
      : (savedRegisters.length + markersPerCpu) * entryBytes
  return byteLength(prologueBytes + cpusMax * perCpu)
}

/**
 * The area of `length` bytes for `cpus` (the online ones, in the order to be written). Every identifier of the table
 * is written in table order, a register that `registers` does not name as 0; `X-…` only for a CPU that names one, as
 * PAPR has it; `savedRegisters` of a personality stand in for the table. Bytes after the last CPU are zero. Names outside `registerNames` are a programmer error.
 */
export function writeRegisterSaveArea(
  cpus: readonly SavedCpu[],
  length: ByteLength,
  firmware: SaveAreaFormat = { numCpusOffset: 0x1c },
): Uint8Array {
  invariant(
    length >= registerSaveAreaLength(cpus.length, firmware) && cpus.length <= registerSaveCpusMax,
    `a register save area of ${length} bytes has no room for ${cpus.length} CPUs`,
  )
  const area = new Uint8Array(Number(length))
  const { numCpusOffset } = firmware
  area.set(
    registerSaveAreaHeaderLayout.encode(
      {
        magicNumber: registerSaveAreaMagic,
        version: registerSaveAreaVersion,
        numCpuOffset: numCpusOffset,
      },
      'big',
    ),
  )
  const view = viewOf(area)
  view.setUint32(numCpusOffset, cpus.length)
  let offset = numCpusOffset + 4
  const identifiers =
    firmware.savedRegisters === undefined
      ? registerIdentifiers
      : firmware.savedRegisters.map((name) => ({
          name,
          id: registerId(name),
          group: 'register' as const,
        }))
  for (const cpu of cpus) {
    offset = writeCpu(view, offset, {
      saved: cpu,
      identifiers,
      zeroRegisters: firmware.zeroRegisters ?? noRegisters,
    })
  }
  return area
}

const noRegisters: ReadonlySet<string> = new Set()

// The hot loop: 502 entries a CPU, written straight instead of through the layout.
function writeCpu(
  view: DataView,
  start: number,
  cpu: {
    readonly saved: SavedCpu
    readonly identifiers: readonly RegisterIdentifier[]
    readonly zeroRegisters: ReadonlySet<string>
  },
): number {
  const { saved, identifiers, zeroRegisters } = cpu
  const unknown = Object.keys(saved.registers).filter((name) => !registerNames.has(name))
  invariant(
    unknown.length === 0,
    `CPU ${saved.cpu} names registers outside the table: ${unknown.join(', ')}`,
  )
  const hasCheckpoint = Object.keys(saved.registers).some((name) => name.startsWith('X-'))
  let offset = writeEntry(view, start, [cpuStartId, BigInt(saved.cpu)])
  for (const { name, id, group } of identifiers) {
    if (group === 'marker' || (group === 'checkpoint' && !hasCheckpoint)) continue
    const value = zeroRegisters.has(name) ? 0n : (saved.registers[name] ?? 0n)
    offset = writeEntry(view, offset, [id, value])
  }
  return writeEntry(view, offset, [cpuEndId, BigInt(saved.cpu)])
}

function writeEntry(
  view: DataView,
  offset: number,
  [id, value]: readonly [bigint, bigint],
): number {
  view.setBigUint64(offset, id)
  view.setBigUint64(offset + 8, value)
  return offset + entryBytes
}

export type RegisterSaveAreaErrorCode =
  | 'bad-magic'
  | 'bad-cpu-count'
  | 'missing-cpu-start'
  | 'missing-cpu-end'
  | 'truncated'

/** An area that cannot be read. `code` is the contract; Linux reports `bad-magic` apart from the others. */
export class RegisterSaveAreaError extends Error {
  override readonly name = 'RegisterSaveAreaError'
  readonly code: RegisterSaveAreaErrorCode
  constructor(code: RegisterSaveAreaErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

export interface RegisterEntry {
  readonly id: bigint
  readonly value: bigint
}

/** The entries of one CPU between its markers. */
export interface SavedCpuEntries {
  readonly cpu: number
  readonly entries: readonly RegisterEntry[]
}

/** What the start of an area says: how many CPUs it names and where their entries begin. */
export function readRegisterSaveAreaStart(area: Uint8Array): {
  cpus: number
  entriesOffset: number
} {
  if (area.byteLength < registerSaveAreaHeaderLayout.size) {
    throw new RegisterSaveAreaError(
      'truncated',
      `a register save area has ${area.byteLength} bytes only`,
    )
  }
  const header = registerSaveAreaHeaderLayout.decode(area, 'big')
  if (header.magicNumber !== registerSaveAreaMagic) {
    throw new RegisterSaveAreaError(
      'bad-magic',
      `magic is ${hex(header.magicNumber, 16)}, a register save area has ${hex(registerSaveAreaMagic, 16)}`,
    )
  }
  const { numCpuOffset } = header
  if (numCpuOffset < registerSaveAreaHeaderLayout.size || numCpuOffset + 4 > area.byteLength) {
    throw new RegisterSaveAreaError(
      'truncated',
      `NumCpusOffset ${hex(numCpuOffset)} is outside the area of ${area.byteLength} bytes`,
    )
  }
  const cpus = viewOf(area).getUint32(numCpuOffset)
  if (cpus > registerSaveCpusMax) {
    throw new RegisterSaveAreaError(
      'bad-cpu-count',
      `NumCpus is ${cpus}, at most ${registerSaveCpusMax} are read`,
    )
  }
  return { cpus, entriesOffset: numCpuOffset + 4 }
}

/**
 * The CPUs of an area, one at a time. Every step is bounded by the area: a missing `CPUEND`, over which Linux would
 * read on without end, is an error here. Throws `RegisterSaveAreaError` (also after some CPUs have been yielded).
 */
export function* readRegisterSaveArea(area: Uint8Array): Generator<SavedCpuEntries, void, void> {
  const { cpus, entriesOffset } = readRegisterSaveAreaStart(area)
  const view = viewOf(area)
  let offset = entriesOffset
  for (let index = 0; index < cpus; index += 1) {
    const start = readEntry(view, offset)
    if (start?.id !== cpuStartId) {
      throw new RegisterSaveAreaError(
        start === undefined ? 'truncated' : 'missing-cpu-start',
        `CPU number ${index} of ${cpus} must begin with CPUSTRT at offset ${hex(offset)}`,
      )
    }
    const cpu = Number(start.value & cpuIdMask)
    const { entries, end } = readEntries(view, offset + entryBytes, cpu)
    yield { cpu, entries }
    offset = end
  }
}

function readEntries(
  view: DataView,
  start: number,
  cpu: number,
): { readonly entries: RegisterEntry[]; readonly end: number } {
  const entries: RegisterEntry[] = []
  let offset = start
  for (;;) {
    const entry = readEntry(view, offset)
    if (entry === undefined || entry.id === cpuStartId) {
      throw new RegisterSaveAreaError(
        'missing-cpu-end',
        `the registers of CPU ${cpu} do not end with CPUEND before offset ${hex(offset)}`,
      )
    }
    offset += entryBytes
    if (entry.id === cpuEndId) return { entries, end: offset }
    entries.push(entry)
  }
}

function readEntry(view: DataView, offset: number): RegisterEntry | undefined {
  if (offset + entryBytes > view.byteLength) return undefined
  return { id: view.getBigUint64(offset), value: view.getBigUint64(offset + 8) }
}

/** The entries under their names; misprinted identifiers of the public table stand for the right ones. */
export function namedRegisters(entries: readonly RegisterEntry[]): Record<string, bigint> {
  return Object.fromEntries(
    entries.map(({ id, value }) => [misprintedIdentifiers.get(id) ?? registerName(id), value]),
  )
}
