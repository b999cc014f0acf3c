/**
 * A reader of vmcores that shares nothing with the code that makes them: it is the oracle of the system tests.
 * Only what the tests need: program headers, notes, bytes at a physical address.
 */
import { open, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

export interface Segment {
  readonly type: number
  readonly offset: number
  readonly address: bigint
  readonly size: bigint
}

/** One NT_PRSTATUS: `pr_pid` and the 48 registers of `pr_reg`. */
export interface CpuNote {
  readonly pid: number
  readonly registers: readonly bigint[]
}

/** Where the bytes of a vmcore come from: a file, or somebody who serves it. */
export interface VmcoreSource extends AsyncDisposable {
  /** Exactly `length` bytes, or fewer at the end. */
  read(position: number, length: number): Promise<Uint8Array>
  /** The manifest that it was verified with, NDJSON. */
  manifest(): Promise<string>
}

export class Vmcore implements AsyncDisposable {
  readonly segments: readonly Segment[]
  readonly littleEndian: boolean
  readonly #source: VmcoreSource

  private constructor(source: VmcoreSource, segments: readonly Segment[], littleEndian: boolean) {
    this.#source = source
    this.segments = segments
    this.littleEndian = littleEndian
  }

  static async open(path: string): Promise<Vmcore> {
    const file = await open(path)
    return Vmcore.from({
      read: async (position, length) => {
        const { buffer, bytesRead } = await file.read(new Uint8Array(length), 0, length, position)
        return buffer.subarray(0, bytesRead)
      },
      manifest: () => readFile(join(dirname(path), 'manifest.ndjson'), 'utf8'),
      [Symbol.asyncDispose]: () => file.close(),
    })
  }

  static async from(source: VmcoreSource): Promise<Vmcore> {
    const head = await read(source, 0, 64)
    const little = head.getUint8(5) === 1
    const count = head.getUint16(56, little)
    const table = await read(source, Number(head.getBigUint64(32, little)), 56 * count)
    const segments = Array.from({ length: count }, (_, index) => ({
      type: table.getUint32(56 * index, little),
      offset: Number(table.getBigUint64(56 * index + 8, little)),
      address: table.getBigUint64(56 * index + 24, little),
      size: table.getBigUint64(56 * index + 32, little),
    }))
    return new Vmcore(source, segments, little)
  }

  get loads(): readonly Segment[] {
    return this.segments.filter(({ type }) => type === 1)
  }

  /** The bytes at a physical address; `undefined` when no PT_LOAD holds all of them. */
  async physical(address: bigint, length: number): Promise<Uint8Array | undefined> {
    const load = this.loads.find(
      (each) => each.address <= address && address + BigInt(length) <= each.address + each.size,
    )
    if (load === undefined) return undefined
    const view = await read(this.#source, load.offset + Number(address - load.address), length)
    return new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
  }

  /**
   * Where bytes of memory are that the manifest beside the file lists. Reading holes takes longer than all the rest; what
   * a manifest leaves out by mistake is missing in the count of whoever checks.
   */
  async populated(): Promise<AddressRange[]> {
    const lines = await this.#source.manifest()
    return lines
      .trim()
      .split('\n')
      .slice(1, -1)
      .map((line) => JSON.parse(line) as { offset: number; length: number })
      .flatMap(({ offset, length }) => this.#addressesOf(offset, offset + length))
  }

  #addressesOf(start: number, end: number): AddressRange[] {
    return this.loads.flatMap((load) => {
      const from = Math.max(start, load.offset)
      const to = Math.min(end, load.offset + Number(load.size))
      const address = load.address + BigInt(from - load.offset)
      return from < to ? [{ address, size: BigInt(to - from) }] : []
    })
  }

  /** The CPU notes in file order. */
  async cpus(): Promise<CpuNote[]> {
    const found = (await this.#notes()).filter(
      ({ type, view }) => type === 1 && view.byteLength === 504,
    )
    return found.map(({ view }) => ({
      pid: view.getInt32(32, this.littleEndian),
      registers: Array.from({ length: 48 }, (_, index) =>
        view.getBigUint64(112 + 8 * index, this.littleEndian),
      ),
    }))
  }

  /** The text of the VMCOREINFO note; `undefined` when there is none. */
  async vmcoreinfo(): Promise<string | undefined> {
    const note = (await this.#notes()).find(({ name }) => name === 'VMCOREINFO')
    return note === undefined ? undefined : new TextDecoder('latin1').decode(note.view)
  }

  async #notes(): Promise<{ name: string; type: number; view: DataView }[]> {
    const [segment] = this.segments.filter(({ type }) => type === 4)
    if (segment === undefined) return []
    const view = await read(this.#source, segment.offset, Number(segment.size))
    const found: { name: string; type: number; view: DataView }[] = []
    for (let at = 0; at + 12 <= view.byteLength;) {
      const nameSize = view.getUint32(at, this.littleEndian)
      const size = view.getUint32(at + 4, this.littleEndian)
      const descriptor = at + 12 + pad(nameSize)
      if (nameSize > 0) {
        const name = new Uint8Array(view.buffer, view.byteOffset + at + 12, nameSize - 1)
        found.push({
          name: new TextDecoder('latin1').decode(name),
          type: view.getUint32(at + 8, this.littleEndian),
          view: new DataView(view.buffer, view.byteOffset + descriptor, size),
        })
      }
      at = descriptor + pad(size)
    }
    return found
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#source[Symbol.asyncDispose]()
  }
}

async function read(source: VmcoreSource, position: number, length: number): Promise<DataView> {
  const bytes = await source.read(position, length)
  if (bytes.byteLength !== length)
    throw new Error(`the vmcore ends at ${position + bytes.byteLength}`)
  return new DataView(bytes.buffer, bytes.byteOffset, length)
}

function pad(length: number): number {
  return (length + 3) & ~3
}

const page = 65_536
const windowPages = 64
const marker = 'fadump-lab seed=0x'
const markerBytes = new TextEncoder().encode(marker)

/** Physical addresses of the crashed kernel. */
export type AddressRange = Pick<Segment, 'address' | 'size'>

/**
 * Checks every page of first-kernel content that the vmcore holds in `ranges` (default: all that is populated), by a second
 * implementation of the documented rule (a line of text, then xorshift32); resolves with the number of pages that were
 * right. Throws at the first wrong one.
 */
export async function checkContent(
  core: Vmcore,
  seed: number,
  ranges?: readonly AddressRange[],
): Promise<number> {
  let right = 0
  for (const range of ranges ?? (await core.populated())) {
    for (const window of windowsOf(range)) {
      const bytes = await core.physical(window.address, window.pages * page)
      for (let index = 0; bytes !== undefined && index < window.pages; index += 1) {
        const found = bytes.subarray(index * page, (index + 1) * page)
        if (!startsWith(found, markerBytes)) continue
        const address = window.address + BigInt(index * page)
        if (!same(found, expectedPage(seed, address / BigInt(page)))) {
          throw new Error(
            `the page at 0x${address.toString(16)} is not what the first kernel wrote`,
          )
        }
        right += 1
      }
    }
  }
  return right
}

/** Whole pages of a range, some at a time. */
function* windowsOf({
  address,
  size,
}: AddressRange): Generator<{ address: bigint; pages: number }> {
  const first = (address + BigInt(page) - 1n) / BigInt(page)
  const last = (address + size) / BigInt(page)
  for (let number = first; number < last; number += BigInt(windowPages)) {
    const left = last - number
    const pages = left < BigInt(windowPages) ? Number(left) : windowPages
    yield { address: number * BigInt(page), pages }
  }
}

function startsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  return start.every((byte, index) => bytes[index] === byte)
}

function expectedPage(seed: number, number: bigint): Uint8Array {
  const bytes = new Uint8Array(page)
  const words = new Uint32Array(bytes.buffer)
  const low = Number(number & 0xffff_ffffn)
  const high = Number(number >> 32n)
  let state =
    (Math.imul(seed ^ 0x9e37_79b9, 0x85eb_ca6b) ^ Math.imul(low + 1, 0xc2b2_ae35) ^ high) | 0
  if (state === 0) state = 1
  for (let index = 0; index < words.length; index += 1) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    words[index] = state
  }
  const label = `${marker}${seed.toString(16).padStart(8, '0')} page=0x${number.toString(16)}\n`
  bytes.set(new TextEncoder().encode(label))
  return bytes
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
