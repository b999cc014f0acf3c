/** Small vmcores for tests, written field by field (gABI, spec §8.2, §9), so that a test can break any one of them. */
import { concat, fromAscii, viewOf } from '@fadump-lab/shared/units'

export interface CoreLoad {
  readonly physical: bigint
  readonly bytes: Uint8Array
  readonly memorySize?: bigint
}

export interface CoreRecipe {
  readonly order?: 'big' | 'little'
  /** `pr_reg` of each CPU; fewer than 48 values are filled up with zeros. */
  readonly cpus?: readonly (readonly bigint[])[]
  /** `null` leaves the note out. */
  readonly vmcoreinfo?: string | null
  readonly loads?: readonly CoreLoad[]
}

export const vmcoreinfoText = 'OSRELEASE=6.10.0-test\nPAGESIZE=65536\nCRASHTIME=1700000000\n'
const headerBytes = 64
const programHeaderBytes = 56

/** The file: headers, notes, then the PT_LOADs back to back, as Linux 3.4 writes it. */
export function aCore(recipe: CoreRecipe = {}): Uint8Array {
  const { order = 'little', cpus = [[1n]], vmcoreinfo = vmcoreinfoText } = recipe
  const loads = recipe.loads ?? [{ physical: 0n, bytes: new Uint8Array(4096).fill(7) }]
  const isLittle = order === 'little'
  const notes = concat([
    ...cpus.map((registers) => note('CORE', 1, { desc: prstatus(registers, isLittle), isLittle })),
    ...(vmcoreinfo === null
      ? []
      : [note('VMCOREINFO', 0, { desc: fromAscii(vmcoreinfo), isLittle })]),
  ])
  const notesAt = headerBytes + programHeaderBytes * (1 + loads.length)
  let at = notesAt + notes.byteLength
  const headers = loads.map(({ physical, bytes, memorySize }) => {
    const offset = at
    at += bytes.byteLength
    const length = BigInt(bytes.byteLength)
    return programHeader(1, [BigInt(offset), physical, length, memorySize ?? length], isLittle)
  })
  const notesLength = BigInt(notes.byteLength)
  return concat([
    elfHeader(1 + loads.length, isLittle),
    programHeader(4, [BigInt(notesAt), 0n, notesLength, notesLength], isLittle),
    ...headers,
    notes,
    ...loads.map(({ bytes }) => bytes),
  ])
}

/** The note as it lies in a file or in memory. */
export function note(
  name: string,
  type: number,
  body: { readonly desc: Uint8Array; readonly isLittle: boolean },
): Uint8Array {
  const { desc, isLittle } = body
  const nameSpace = Math.ceil((name.length + 1) / 4) * 4
  const bytes = new Uint8Array(12 + nameSpace + Math.ceil(desc.byteLength / 4) * 4)
  const view = viewOf(bytes)
  view.setUint32(0, name.length + 1, isLittle)
  view.setUint32(4, desc.byteLength, isLittle)
  view.setUint32(8, type, isLittle)
  bytes.set(fromAscii(name), 12)
  bytes.set(desc, 12 + nameSpace)
  return bytes
}

function prstatus(registers: readonly bigint[], isLittle: boolean): Uint8Array {
  const bytes = new Uint8Array(504)
  const view = viewOf(bytes)
  registers.forEach((value, index) => view.setBigUint64(112 + 8 * index, value, isLittle))
  return bytes
}

function elfHeader(programHeaders: number, isLittle: boolean): Uint8Array {
  const bytes = new Uint8Array(headerBytes)
  const view = viewOf(bytes)
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, isLittle ? 1 : 2, 1])
  view.setUint16(16, 4, isLittle)
  view.setUint16(18, 21, isLittle)
  view.setUint32(20, 1, isLittle)
  view.setBigUint64(32, BigInt(headerBytes), isLittle)
  view.setUint32(48, isLittle ? 2 : 1, isLittle)
  view.setUint16(52, headerBytes, isLittle)
  view.setUint16(54, programHeaderBytes, isLittle)
  view.setUint16(56, programHeaders, isLittle)
  return bytes
}

function programHeader(
  type: number,
  [offset, physical, fileSize, memorySize]: readonly [bigint, bigint, bigint, bigint],
  isLittle: boolean,
): Uint8Array {
  const bytes = new Uint8Array(programHeaderBytes)
  const view = viewOf(bytes)
  view.setUint32(0, type, isLittle)
  view.setUint32(4, type === 1 ? 7 : 0, isLittle)
  const virtual = type === 1 ? 0xc000_0000_0000_0000n + physical : 0n
  for (const [index, value] of [offset, virtual, physical, fileSize, memorySize].entries()) {
    view.setBigUint64(8 + 8 * index, value, isLittle)
  }
  return bytes
}

/** A copy of `core` with a field changed; little-endian. */
export function changed(
  core: Uint8Array,
  field: { readonly at: number; readonly width: 2 | 4 | 8; readonly value: bigint },
): Uint8Array {
  const { at, width, value } = field
  const bytes = core.slice()
  for (let index = 0; index < width; index++) {
    bytes[at + index] = Number((value >> BigInt(8 * index)) & 0xffn)
  }
  return bytes
}

/** `pieces` of `core` as a makedumpfile-flattened stream, in the order given; `[start, end)` each. */
export function flattened(
  core: Uint8Array,
  pieces: readonly (readonly [number, number])[],
): Uint8Array {
  const head = new Uint8Array(4096)
  head.set(fromAscii('makedumpfile'))
  viewOf(head).setBigUint64(16, 1n)
  viewOf(head).setBigUint64(24, 1n)
  const records = pieces.map(([start, end]) =>
    concat([pair(start, end - start), core.slice(start, end)]),
  )
  return concat([head, ...records, new Uint8Array(16).fill(0xff)])
}

function pair(offset: number, size: number): Uint8Array {
  const bytes = new Uint8Array(16)
  viewOf(bytes).setBigUint64(0, BigInt(offset))
  viewOf(bytes).setBigUint64(8, BigInt(size))
  return bytes
}
