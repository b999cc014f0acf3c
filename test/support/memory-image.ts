/** Synthetic memory images: what a kernel other than ours left in memory, as the vmcore that is uploaded. */
import { encodeVmcoreinfoNote } from '@fadump-lab/shared/elf'
import { aVmcore, type LoadRecipe } from '../../packages/shared/src/elf/core-builder.ts'

/** Bytes of the image's memory. */
export interface Placed {
  readonly physical: bigint
  readonly bytes: Uint8Array
}

/** `pr_reg` fields that only a kernel which saved a CPU by itself can know: orig_gpr3, softe, trap, result. */
const kernelOnly: readonly number[] = [34, 39, 40, 43]

/** Registers of `count` CPUs, all different; the crashing one has the fields that its kernel alone knows. */
export function imageCpus(count: number, crashingCpu: number): readonly (readonly bigint[])[] {
  return Array.from({ length: count }, (_, cpu) =>
    Array.from({ length: 48 }, (_register, index) => {
      if (index > 43 || (kernelOnly.includes(index) && cpu !== crashingCpu)) return 0n
      return (BigInt(cpu + 1) << 56n) + BigInt(0x1111 * (index + 1))
    }),
  )
}

/** `length` bytes that no other place has, and no zero page among them (xorshift32 over the address). */
export function noiseAt(physical: bigint, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let state = (Number(physical & 0xffff_ffffn) ^ Number(physical >> 32n) ^ 0x9e37_79b9) | 1
  for (let index = 0; index < length; index += 1) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    bytes[index] = state & 0xff
  }
  return bytes
}

export interface ImageRecipe {
  readonly order: 'big' | 'little'
  readonly pageSize: 4096 | 65_536
  readonly crashingCpu: number
  readonly cpus: number
  readonly loads: readonly (LoadRecipe & { readonly bytes: Uint8Array<ArrayBufferLike> })[]
  /** Where the kernel's own VMCOREINFO note lies; must be within a load. Without it the text is in the notes only. */
  readonly vmcoreinfoAt?: bigint
  /** Length of the VMCOREINFO text; lines are added up to it. Default: three lines. */
  readonly vmcoreinfoBytes?: number
}

export interface MemoryImage {
  readonly file: Uint8Array
  readonly registers: readonly (readonly bigint[])[]
  readonly vmcoreinfo: string
  /** What the loads hold, the VMCOREINFO note included. */
  readonly placed: readonly Placed[]
}

function vmcoreinfoOf({ pageSize, vmcoreinfoBytes = 0 }: ImageRecipe): string {
  const text = `OSRELEASE=6.1.0-image\nPAGESIZE=${pageSize}\nSYMBOL(_stext)=c000000000000000\n`
  const rest = vmcoreinfoBytes - text.length
  return rest <= 0 ? text : `${text}${'NUMBER(x)=1\n'.padStart(rest, 'X')}`
}

export function memoryImage(recipe: ImageRecipe): MemoryImage {
  const { order, pageSize, cpus, crashingCpu, vmcoreinfoAt } = recipe
  const vmcoreinfo = vmcoreinfoOf(recipe)
  const loads = recipe.loads.map((load) => ({ ...load, bytes: load.bytes.slice() }))
  if (vmcoreinfoAt !== undefined) {
    const note = encodeVmcoreinfoNote(vmcoreinfo, order)
    const home = loads.find(
      ({ physical, bytes }) =>
        physical <= vmcoreinfoAt && vmcoreinfoAt < physical + BigInt(bytes.byteLength),
    )
    home?.bytes.set(note, Number(vmcoreinfoAt - home.physical))
  }
  const registers = imageCpus(cpus, crashingCpu)
  const file = aVmcore({
    order,
    pageSize,
    vmcoreinfo,
    loads,
    cpus: registers.map((each) => ({ pid: 0, registers: each })),
  })
  return { file, registers, vmcoreinfo, placed: loads }
}
