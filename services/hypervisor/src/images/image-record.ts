/** What is kept beside an image's memory: what the contract shows, and the notes in a compact form. */
import { base64Bytes, hexAddress, image, type ImageNotes } from '@fadump-lab/shared/contracts'
import { registerCount } from '@fadump-lab/shared/elf'
import { viewOf } from '@fadump-lab/shared/units'
import { z } from 'zod'

/**
 * An image is `importing` until everything of it is in place; what stays so after a restart is nobody's and removed.
 * 4096 CPUs × 48 registers as JSON strings would not fit a record, as packed bytes they do.
 */
const imageRecord = z.discriminatedUnion('status', [
  z.strictObject({ status: z.literal('importing') }),
  z.strictObject({
    status: z.literal('ready'),
    image,
    vmcoreinfo: base64Bytes,
    vmcoreinfoAddress: hexAddress.optional(),
    /** `pr_reg` of each CPU: 48 big-endian u64. */
    registers: base64Bytes,
  }),
])
export type ImageRecord = z.output<typeof imageRecord>
export type ReadyImage = Extract<ImageRecord, { status: 'ready' }>

export function encodeImageRecord(record: ImageRecord): string {
  return JSON.stringify(z.encode(imageRecord, record))
}

export function decodeImageRecord(text: string): ImageRecord {
  return z.decode(imageRecord, JSON.parse(text) as never)
}

export function packRegisters(cpus: readonly (readonly bigint[])[]): Uint8Array {
  const packed = new Uint8Array(cpus.length * cpuBytes)
  const view = viewOf(packed)
  cpus.forEach((registers, cpu) => {
    registers.forEach((value, index) => {
      view.setBigUint64(cpu * cpuBytes + index * 8, value)
    })
  })
  return packed
}

export function imageNotesOf(record: ReadyImage): ImageNotes {
  const { vmcoreinfo, vmcoreinfoAddress, registers } = record
  const { pageSize, byteOrder, crashingCpu } = record.image
  const view = viewOf(registers)
  return {
    cpus: Array.from({ length: registers.byteLength / cpuBytes }, (_, cpu) => ({
      cpu,
      registers: Array.from({ length: registerCount }, (_register, index) =>
        view.getBigUint64(cpu * cpuBytes + index * 8),
      ),
    })),
    crashingCpu,
    vmcoreinfo: z.encode(base64Bytes, vmcoreinfo),
    ...(vmcoreinfoAddress === undefined ? {} : { vmcoreinfoAddress }),
    pageSize,
    byteOrder,
  }
}

const cpuBytes = registerCount * 8
