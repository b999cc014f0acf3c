/**
 * For tests: small synthetic cores and the memory behind them. Defaults are valid; a test overrides one thing. The
 * placing of bytes is written out here and not taken from the plan or the reader, so that it can check both.
 */
import type { ByteOrder } from '../layout/index.ts'
import { concat, hex, invariant, type MemoryRange, type RealAddress } from '../units/index.ts'
import { coreElfHeader, elfHeaderLayout, type ElfHeader } from './elf-header.ts'
import { encodeProgramHeaders, type ProgramHeader } from './program-header.ts'
import { encodePrstatusNote, type Prstatus } from './prstatus-ppc64.ts'
import { encodeVmcoreinfoNote } from './vmcoreinfo.ts'

/** Memory of the crashed kernel: `bytes` at `physical`, then zeros up to `memorySize`. */
export interface LoadRecipe {
  readonly physical: bigint
  readonly bytes: Uint8Array
  readonly memorySize?: bigint
}

export interface VmcoreRecipe {
  /** Default: little. */
  readonly order?: ByteOrder
  /** What headers, notes and loads are rounded to. Default 1: packed tightly, as kernels up to 3.4 do. */
  readonly pageSize?: number
  /** Default: 2 on little-endian machines (ELFv2), 1 on big-endian ones. */
  readonly flags?: number
  /** Default: two CPUs with pid 1 and 2 and recognizable registers. */
  readonly cpus?: readonly Prstatus[]
  /** Default: OSRELEASE and PAGESIZE. */
  readonly vmcoreinfo?: string
  /** Default: 4 KiB at 0 and 4 KiB at 1 MiB. */
  readonly loads?: readonly LoadRecipe[]
  /** Last changes, to break the core on purpose. */
  readonly changeHeader?: (header: ElfHeader) => ElfHeader
  readonly changeProgramHeaders?: (headers: readonly ProgramHeader[]) => readonly ProgramHeader[]
  readonly changeNotes?: (notes: Uint8Array) => Uint8Array
}

/** The bytes of a core file. */
export function aVmcore(recipe: VmcoreRecipe = {}): Uint8Array {
  const { order = 'little', pageSize = 1, loads = defaultLoads } = recipe
  const notes = notesOfRecipe(recipe, order)
  const headersEnd = up(64 + 56 * (1 + loads.length), pageSize)
  const notesEnd = headersEnd + up(notes.byteLength, pageSize)
  const programHeaders = [noteHeader(headersEnd, notes.byteLength)]
  const bodies: Uint8Array[] = []
  let at = notesEnd
  for (const load of loads) {
    const lead = Number(load.physical % BigInt(pageSize))
    programHeaders.push(loadHeader(load, at + lead))
    const body = concat([new Uint8Array(lead), load.bytes])
    bodies.push(padded(body, up(body.byteLength, pageSize)))
    at += bodies.at(-1)?.byteLength ?? 0
  }
  const headers = encodedHeaders(recipe, order, programHeaders)
  return concat([padded(headers, headersEnd), padded(notes, notesEnd - headersEnd), ...bodies])
}

/** `pr_reg` of CPU `cpu`: register i holds 0xcpu000000000000ii, so that a mix-up shows. */
export function recognizableRegisters(cpu: number): readonly bigint[] {
  return Array.from({ length: 48 }, (_, index) => (BigInt(cpu + 1) << 56n) + BigInt(index))
}

/** Bytes that depend on their place: `length` of them as they stand at `physical`. */
export function patternAt(physical: bigint, length: number): Uint8Array {
  const low = Number(physical & 0xff_ffffn)
  return Uint8Array.from({ length }, (_, index) => {
    const place = low + index
    return (place ^ (place >> 8) ^ (place >> 16)) | 1
  })
}

/** Partition memory of a test: sparse, zero where nothing was written. */
export class TestMemory {
  readonly #pages = new Map<bigint, Uint8Array>()

  /** Does the writes in order. */
  apply(writes: readonly { readonly address: bigint; readonly bytes: Uint8Array }[]): void {
    for (const { address, bytes } of writes) {
      for (let done = 0; done < bytes.byteLength;) {
        const { page, offset } = this.#pageAt(address + BigInt(done))
        const part = bytes.subarray(done, done + page.byteLength - offset)
        page.set(part, offset)
        done += part.byteLength
      }
    }
  }

  bytes(address: bigint, length: number): Uint8Array {
    const result = new Uint8Array(length)
    for (let done = 0; done < length;) {
      const { page, offset } = this.#pageAt(address + BigInt(done))
      const part = page.subarray(offset, offset + length - done)
      result.set(part, done)
      done += part.byteLength
    }
    return result
  }

  /** As `bytes`, in the form that logs read memory; refuses windows above 1 MiB as a memory store would. */
  readonly read = (address: RealAddress, length: number): Promise<Uint8Array> => {
    invariant(length <= 1024 * 1024, `read of ${length} bytes at ${hex(address)}`)
    return Promise.resolve(this.bytes(address, length))
  }

  /** One load per range, with what stands there. */
  loads(ranges: readonly MemoryRange[]): LoadRecipe[] {
    return ranges.map(({ start, end }) => ({
      physical: start,
      bytes: this.bytes(start, Number(end - start)),
    }))
  }

  #pageAt(address: bigint): { readonly page: Uint8Array; readonly offset: number } {
    const number = address / testPageBytes
    let page = this.#pages.get(number)
    if (page === undefined) {
      page = new Uint8Array(Number(testPageBytes))
      this.#pages.set(number, page)
    }
    return { page, offset: Number(address % testPageBytes) }
  }
}

const testPageBytes = 65_536n

const defaultLoads: readonly LoadRecipe[] = [0n, 0x10_0000n].map((physical) => ({
  physical,
  bytes: patternAt(physical, 4096),
}))

function encodedHeaders(
  recipe: VmcoreRecipe,
  order: ByteOrder,
  programHeaders: readonly ProgramHeader[],
): Uint8Array {
  const header = coreElfHeader({
    order,
    flags: recipe.flags ?? (order === 'little' ? 2 : 1),
    programHeaderCount: programHeaders.length,
  })
  return concat([
    elfHeaderLayout.encode(recipe.changeHeader?.(header) ?? header, order),
    encodeProgramHeaders(recipe.changeProgramHeaders?.(programHeaders) ?? programHeaders, order),
  ])
}

function notesOfRecipe(recipe: VmcoreRecipe, order: ByteOrder): Uint8Array {
  const cpus =
    recipe.cpus ?? [0, 1].map((cpu) => ({ pid: cpu + 1, registers: recognizableRegisters(cpu) }))
  const text = recipe.vmcoreinfo ?? 'OSRELEASE=6.12.0-test\nPAGESIZE=65536\n'
  const notes = concat([
    ...cpus.map((cpu) => encodePrstatusNote(cpu, order)),
    encodeVmcoreinfoNote(text, order),
  ])
  return recipe.changeNotes?.(notes) ?? notes
}

function noteHeader(offset: number, length: number): ProgramHeader {
  return {
    type: 4,
    flags: 0,
    offset: BigInt(offset),
    virtualAddress: 0n,
    physicalAddress: 0n,
    fileSize: BigInt(length),
    memorySize: BigInt(length),
    align: 0n,
  }
}

function loadHeader(load: LoadRecipe, offset: number): ProgramHeader {
  const fileSize = BigInt(load.bytes.byteLength)
  return {
    type: 1,
    flags: 7,
    offset: BigInt(offset),
    virtualAddress: 0xc000_0000_0000_0000n + load.physical,
    physicalAddress: load.physical,
    fileSize,
    memorySize: load.memorySize ?? fileSize,
    align: 0n,
  }
}

function up(value: number, alignment: number): number {
  return Math.ceil(value / alignment) * alignment
}

function padded(bytes: Uint8Array, length: number): Uint8Array {
  return concat([bytes, new Uint8Array(length - bytes.byteLength)])
}
