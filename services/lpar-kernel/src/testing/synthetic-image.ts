/** A memory image as an import leaves it: a space with pages of a kernel that is not ours, and what its notes said. */
import { imageSpace, type ImageNotes } from '@fadump-lab/shared/contracts'
import { encodeVmcoreinfoArea } from '@fadump-lab/shared/elf'
import { byteLength, fromAscii, realAddress, toBase64 } from '@fadump-lab/shared/units'
import { contentPage } from '../memory/content.ts'
import type { StartedKernel } from './started-kernel.ts'

export interface SyntheticImage {
  readonly id: string
  readonly memoryBytes: bigint
  readonly pageSize: number
  readonly byteOrder: 'big' | 'little'
  readonly cpus: number
  readonly crashingCpu: number
  /** Page numbers (of 64 KiB) that are populated. */
  readonly pages: readonly bigint[]
  /** Where the VMCOREINFO note lies; absent: nowhere. */
  readonly vmcoreinfoAddress?: bigint
}

export const vmcoreinfoOfImage =
  'OSRELEASE=6.1.0-strange\nPAGESIZE=4096\nSYMBOL(_stext)=c000000000000000\nCRASHTIME=1700000000\n'

/** The page an image has at `number`. */
export function imagePage(number: bigint): Uint8Array {
  return contentPage(0x1_0000, number)
}

/** `pr_reg` of one CPU: 48 values that say whose and which they are. */
export function imageRegisters(cpu: number): bigint[] {
  return Array.from({ length: 48 }, (_, index) => BigInt((cpu + 1) * 0x1000 + index))
}

export async function addImage(kernel: StartedKernel, image: SyntheticImage): Promise<ImageNotes> {
  const { store, firmware } = kernel
  const space = imageSpace('server-1', image.id)
  const { epoch } = await store.createSpace(space, byteLength(image.memoryBytes))
  for (const number of image.pages) {
    await store.write(
      space,
      { address: realAddress(number << 16n), bytes: imagePage(number) },
      epoch,
    )
  }
  const { vmcoreinfoAddress } = image
  if (vmcoreinfoAddress !== undefined) {
    const rules = { bytesMax: 4096, crashTimeNewline: true }
    const bytes = encodeVmcoreinfoArea(vmcoreinfoOfImage, image.byteOrder, rules)
    await store.write(space, { address: realAddress(vmcoreinfoAddress), bytes }, epoch)
  }
  const notes: ImageNotes = {
    cpus: Array.from({ length: image.cpus }, (_, cpu) => ({ cpu, registers: imageRegisters(cpu) })),
    crashingCpu: image.crashingCpu,
    vmcoreinfo: toBase64(fromAscii(vmcoreinfoOfImage)),
    ...(vmcoreinfoAddress === undefined
      ? {}
      : { vmcoreinfoAddress: realAddress(vmcoreinfoAddress) }),
    pageSize: image.pageSize,
    byteOrder: image.byteOrder,
  }
  firmware.images.set(image.id, notes)
  return notes
}
