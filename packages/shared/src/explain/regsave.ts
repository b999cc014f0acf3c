/** The register save area: header, number of CPUs, then the entries of each CPU. */
import {
  gprIndexOf,
  linuxRegisters,
  machineStateText,
  misprintedIdentifiers,
  ptRegsNames,
  readRegisterSaveArea,
  readRegisterSaveAreaStart,
  registerEntryLayout,
  registerId,
  registerIdentifiers,
  registerName,
  RegisterSaveAreaError,
  registerSaveAreaHeaderLayout,
  cpuEndId,
  cpuStartId,
} from '../fadump/index.ts'
import { fromAscii, hex, viewOf } from '../units/index.ts'
import { cpuCount, cpuListText, describeHidden, isShown } from './cpus.ts'
import type { CpuChoice, Field, Part } from './explanation.ts'
import { expected, layoutFields, rawField, requireMagic, restRemarks } from './fields.ts'

const magic = { what: 'the magic "REGSAVE"', bytes: [fromAscii('REGSAVE\0')] }

/** Header, number of CPUs, the CPUs that `choice` shows. The CPUs before a fault come before its error. */
export function* regsaveParts(area: Uint8Array, choice: CpuChoice): Generator<Part> {
  requireMagic(area, magic)
  const header = layoutFields(registerSaveAreaHeaderLayout, area, {
    order: 'big',
    path: '',
    meanings: { magicNumber: (value) => JSON.stringify(registerName(value)) },
  })
  yield { title: registerSaveAreaHeaderLayout.name, fields: header }
  const { cpus, entriesOffset } = readRegisterSaveAreaStart(area)
  yield { title: 'number of CPUs', fields: countFields(area, entriesOffset) }
  let end = entriesOffset
  const seen: number[] = []
  for (const saved of placedCpus(area)) {
    const { cpu, entries } = saved
    const index = seen.push(cpu) - 1
    if (isShown(choice, cpu, index)) {
      const title = `CPU ${cpu}, number ${index + 1} of ${cpus}: ${entries} registers`
      yield { title, fields: entryFields(area, saved) }
    }
    end = saved.end
  }
  const hidden = describeHidden(choice, seen)
  const remarks = [...hidden, ...restRemarks(area.subarray(end), end)]
  if (remarks.length > 0) yield { title: 'behind the CPUs shown', fields: [], remarks }
  if (typeof choice === 'object' && !seen.includes(choice.only)) {
    throw expected(entriesOffset, `CPU ${choice.only}`, `CPUs ${cpuListText(seen)}`)
  }
}

/** `[start, end)` of a CPU's entries, its markers among them. */
interface PlacedCpu {
  readonly cpu: number
  readonly start: number
  readonly end: number
  /** Without the markers. */
  readonly entries: number
}

function* placedCpus(area: Uint8Array): Generator<PlacedCpu> {
  let { entriesOffset: start } = readRegisterSaveAreaStart(area)
  try {
    for (const { cpu, entries } of readRegisterSaveArea(area)) {
      const end = start + (entries.length + 2) * entryBytes
      yield { cpu, start, end, entries: entries.length }
      start = end
    }
  } catch (error) {
    if (!(error instanceof RegisterSaveAreaError) || error.code !== 'missing-cpu-start') throw error
    throw expected(start, 'CPUSTRT', nameText(viewOf(area).getBigUint64(start)))
  }
}

/** An identifier for an error: its name, or its digits when it spells none. */
function nameText(id: bigint): string {
  const name = registerName(id)
  return /^[\w-]+$/.test(name) ? name : hex(id, 16)
}

const entryBytes = registerEntryLayout.size

/** Padding, which PAPR has and QEMU has not, and the number of CPUs. */
function countFields(area: Uint8Array, entriesOffset: number): Field[] {
  const count = entriesOffset - 4
  const padding = area.subarray(registerSaveAreaHeaderLayout.size, count)
  const countBytes = area.subarray(count, entriesOffset)
  const cpus = viewOf(countBytes).getUint32(0)
  return [
    ...(padding.byteLength === 0
      ? []
      : [
          rawField(
            { offset: registerSaveAreaHeaderLayout.size, bytes: padding, name: '(padding)' },
            '0',
          ),
        ]),
    {
      offset: count,
      bytes: countBytes,
      name: 'num_cpus',
      path: 'num_cpus',
      value: hex(cpus, 8),
      meaning: `entries of ${cpuCount(cpus)} follow: those that were online`,
    },
  ]
}

function entryFields(area: Uint8Array, { cpu, start, end }: PlacedCpu): Field[] {
  const view = viewOf(area)
  return Array.from({ length: (end - start) / entryBytes }, (_, index) => {
    const offset = start + index * entryBytes
    const id = view.getBigUint64(offset)
    const value = view.getBigUint64(offset + 8)
    const name = registerName(id)
    return {
      offset,
      bytes: area.subarray(offset, offset + entryBytes),
      name,
      path: `cpu[${cpu}].${name}`,
      value: hex(value, 16),
      meaning: entryMeaning(id, value),
    }
  })
}

const tableIds = new Map(registerIdentifiers.map((row) => [row.id, row]))
const linuxPlaces = new Map(linuxRegisters.map(([name, index]) => [registerId(name), index]))
const machineStateId = registerId('MSR')

/** Whom the register belongs to, and what becomes of it. */
function entryMeaning(id: bigint, value: bigint): string {
  if (id === cpuStartId) return `CPU ${value & 0xffff_ffffn} begins`
  if (id === cpuEndId) return `CPU ${value & 0xffff_ffffn} ends`
  const place = gprIndexOf(id) ?? linuxPlaces.get(id)
  if (place !== undefined) {
    const bits = id === machineStateId ? `: ${machineStateText(value)}` : ''
    return `pt_regs.${ptRegsNames[place] ?? place} of Linux${bits}`
  }
  return ['Linux skips it', ...skippedText(id)].join(': ')
}

/** What is to be said of a register that Linux does not read. */
function skippedText(id: bigint): string[] {
  const misprint = misprintedIdentifiers.get(id)
  if (misprint !== undefined) return [`${misprint}, misprinted in the public table`]
  const group = tableIds.get(id)?.group
  if (group === undefined) return ['not in the table of PAPR']
  return group === 'checkpoint' ? ['checkpoint of a transaction'] : []
}
