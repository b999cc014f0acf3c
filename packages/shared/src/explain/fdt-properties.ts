/** What the values of device tree properties say. */
import { dumpProperty, dumpSizeLayout, dumpVersionLayout, sectionTypeOf } from '../fadump/index.ts'
import { toCells, toTextList, type DeviceNode } from '../fdt/index.ts'
import { rtasServices } from '../rtas/index.ts'
import { describeLength, hex, toHex, viewOf } from '../units/index.ts'
import type { Part } from './explanation.ts'
import { fdmParts, type Place } from './fdm.ts'
import { layoutFields } from './fields.ts'

/** The most characters of a value that are printed. */
const valueCharactersMax = 160

/** As dtc prints it: text in quotes, cells in angle brackets, other bytes in square ones. */
export function propertyText(value: Uint8Array): string {
  if (value.byteLength === 0) return 'present'
  const text = isText(value)
    ? toTextList(value)
        .map((each) => JSON.stringify(each))
        .join(', ')
    : value.byteLength % 4 === 0
      ? `<${toCells(value)
          .map((cell) => hex(cell))
          .join(' ')}>`
      : `[${toHex(value)}]`
  return text.length <= valueCharactersMax
    ? text
    : `${text.slice(0, valueCharactersMax)}… (${value.byteLength} bytes)`
}

/** dtc's rule: printable, NUL at the end, no empty text but for a lone one. */
function isText(value: Uint8Array): boolean {
  const isPrintable = value.every((byte) => byte === 0 || (byte >= 0x20 && byte < 0x7f))
  if (!isPrintable || value.at(-1) !== 0) return false
  return toTextList(value).every((text) => text !== '')
}

interface Property {
  readonly name: string
  readonly bytes: Uint8Array
  readonly node: DeviceNode
  readonly parent: DeviceNode | undefined
}

/** What is known of a property; empty for most of them. */
export function propertyMeaning(property: Property): string {
  const { name, bytes, node } = property
  if (node.name === 'rtas') return rtasMeaning(name)
  if (name === 'reg' && node.name.startsWith('memory')) return memoryText(bytes)
  if (name.endsWith('-frequency') && bytes.byteLength === 4) return `${toCells(bytes)[0]} Hz`
  return meaningOf[name] ?? ''
}

function rtasMeaning(name: string): string {
  const service = rtasServices.find((row) => row.name === name)
  return service === undefined ? (rtasMeaningOf[name] ?? '') : `RTAS service: ${service.meaning}`
}

const rtasMeaningOf: Readonly<Record<string, string>> = {
  'linux,rtas-base': 'real address of RTAS',
  'linux,rtas-entry': 'where RTAS is entered',
  'rtas-size': 'bytes of RTAS',
  [dumpProperty.sizes]: 'how large the sections are that firmware fills',
  [dumpProperty.version]: 'versions of the dump memory structure',
  [dumpProperty.kernelDump]: 'a dump waits: this is the structure with its results',
  [dumpProperty.extendedOsTerm]: 'ibm,os-term does not return; without it Linux never calls it',
}

const meaningOf: Readonly<Record<string, string>> = {
  bootargs: 'kernel command line',
  'ibm,ppc-interrupt-server#s': 'hardware id of each thread',
  'ibm,partition-name': 'name of the partition',
}

/** Ranges of memory; the root of a pseries tree has two cells each for address and size. */
function memoryText(bytes: Uint8Array): string {
  if (bytes.byteLength === 0 || bytes.byteLength % 16 !== 0) return ''
  const view = viewOf(bytes)
  const ranges = Array.from({ length: bytes.byteLength / 16 }, (_, index) => {
    const size = view.getBigUint64(16 * index + 8)
    return `${describeLength(size)} from ${hex(view.getBigUint64(16 * index))}`
  })
  return ranges.join(', ')
}

const structured: ReadonlySet<string> = new Set([
  dumpProperty.sizes,
  dumpProperty.version,
  dumpProperty.kernelDump,
])

/** Whether `propertyParts` has more to say than the value as a whole. */
export function isStructured(name: string): boolean {
  return structured.has(name)
}

/** The parts of a value that is a structure itself. */
export function* propertyParts(name: string, bytes: Uint8Array, place: Place): Generator<Part> {
  if (name === dumpProperty.sizes) yield* sizeParts(bytes, place)
  if (name === dumpProperty.version) yield* versionParts(bytes, place)
  if (name === dumpProperty.kernelDump) yield* fdmParts(bytes, place)
}

function* sizeParts(bytes: Uint8Array, { base, path, depth }: Place): Generator<Part> {
  const entries = Math.floor(bytes.byteLength / dumpSizeLayout.size)
  for (let index = 0; index < entries; index += 1) {
    const fields = layoutFields(dumpSizeLayout, bytes, {
      order: 'big',
      base,
      at: index * dumpSizeLayout.size,
      path: `${path}[${index}].`,
      meanings: {
        type: (type) => sectionTypeOf(type)?.name ?? 'unknown type, which Linux ignores',
        size: (size) => `${describeLength(size)} must be provided`,
      },
    })
    yield { title: `${dumpSizeLayout.name}[${index}]`, fields, depth }
  }
}

/** QEMU writes the two halves in the byte order of its host. */
const swappedVersion = 0x0100

function* versionParts(bytes: Uint8Array, { base, path, depth }: Place): Generator<Part> {
  if (bytes.byteLength < dumpVersionLayout.size) return
  const versionText = (version: number): string =>
    version === swappedVersion ? '1 in little-endian order, as QEMU has it' : `version ${version}`
  const fields = layoutFields(dumpVersionLayout, bytes, {
    order: 'big',
    base,
    path,
    meanings: { versionMin: versionText, versionMax: versionText },
  })
  yield { title: dumpVersionLayout.name, fields, depth }
}
