/** What is told of an image once all of it has been read. */
import { Problem, type Image } from '@fadump-lab/shared/contracts'
import { parseVmcoreinfo, type CoreContents, type CoreOutline } from '@fadump-lab/shared/elf'
import { kernelOnlyRegisters } from '@fadump-lab/shared/fadump'
import { pageSize as storePageSize, type MemoryStore, type SpaceId } from '@fadump-lab/shared/store'
import { byteLength, fromAscii, type ByteLength, type RealAddress } from '@fadump-lab/shared/units'
import { packRegisters, type ReadyImage } from './image-record.ts'
import type { NoteSearch } from './note-search.ts'

/** Page sizes that Linux on POWER is built with. */
const kernelPageSizes: readonly number[] = [4096, 65_536]
const osReleaseMax = 256
/** PT_LOADs of an image; a kernel writes one per piece of memory, and the record of an image names them all. */
const loadsMax = 4096

interface Place {
  readonly id: string
  readonly space: SpaceId
  readonly store: MemoryStore
  readonly search: NoteSearch
}

/** Errors: `invalid-image` when VMCOREINFO does not tell the kernel's page size. */
export async function describeCore(contents: CoreContents, place: Place): Promise<ReadyImage> {
  const { id, space, store, search } = place
  const text = contents.vmcoreinfo ?? ''
  const entries = parseVmcoreinfo(text)
  const pageSize = pageSizeOf(entries.get('PAGESIZE'))
  const registers = contents.cpus.map((cpu) => cpu.registers)
  const described = await store.describe(space)
  const image: Image = {
    id,
    frame: space.frame,
    byteOrder: contents.order,
    pageSize,
    osRelease: (entries.get('OSRELEASE') ?? '').slice(0, osReleaseMax),
    memoryBytes: memoryBytesOf(contents),
    populatedBytes: byteLength((described?.populatedPages ?? 0) * storePageSize),
    loads: contents.loads.map((load) => ({ address: load.physical, length: load.memorySize })),
    crashingCpu: crashingCpuOf(registers),
    cpus: registers.length,
  }
  const vmcoreinfoAddress = await search.find({
    text,
    order: contents.order,
    pageSize,
    read: (address: RealAddress, length: number) => store.read(space, address, length),
  })
  return {
    status: 'ready',
    image,
    vmcoreinfo: fromAscii(text),
    ...(vmcoreinfoAddress === undefined ? {} : { vmcoreinfoAddress }),
    registers: packRegisters(registers),
  }
}

/** The CPU whose registers the kernel saved by itself; the first one when none tells. */
export function crashingCpuOf(cpus: readonly (readonly bigint[])[]): number {
  const found = cpus.findIndex((registers) =>
    kernelOnlyRegisters.some((index) => (registers[index] ?? 0n) !== 0n),
  )
  return Math.max(found, 0)
}

/** The memory an outline describes. Errors: `invalid-image` for more PT_LOADs than an image may have. */
export function checkedMemoryBytes(outline: CoreOutline): ByteLength {
  if (outline.loads.length > loadsMax) {
    throw new Problem(
      'invalid-image',
      `there must be at most ${loadsMax} PT_LOADs; found ${outline.loads.length}`,
      { extensions: { rule: 'tooManyLoads' } },
    )
  }
  return memoryBytesOf(outline)
}

/** End of the highest PT_LOAD. */
function memoryBytesOf({ loads }: CoreOutline): ByteLength {
  return byteLength(
    loads.reduce((end, load) => {
      const loadEnd = load.physical + load.memorySize
      return loadEnd > end ? loadEnd : end
    }, 0n),
  )
}

function pageSizeOf(text: string | undefined): number {
  const size = Number(text)
  if (kernelPageSizes.includes(size)) return size
  throw new Problem(
    'invalid-image',
    `the VMCOREINFO note must state PAGESIZE=${kernelPageSizes.join(' or ')}, not ${text ?? 'nothing'}`,
    { extensions: { rule: 'pageSize' } },
  )
}
