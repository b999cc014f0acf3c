/**
 * What firmware knows of one partition, as it is kept beside the partition's memory (record `firmware`). The boot
 * generation is not part of it: the store itself counts epochs.
 */
import { base64Bytes, firmwareFault, partition, type Partition } from '@fadump-lab/shared/contracts'
import { rememberedCodec } from '@fadump-lab/shared/runtime'
import type { Epoch } from '@fadump-lab/shared/store'
import { z } from 'zod'

const firmwareRecord = partition.omit({ epoch: true }).extend({
  /** Drawn at creation; part of the id of every dump. */
  incarnation: z.string().max(8),
  /**
   * Firmware's own copy of the dump memory structure: as registered in `registered` and `dumping`, with the results
   * filled in while `active`. Edits of the partition to its own copy have no effect (C020).
   */
  dumpStructure: base64Bytes.optional(),
  /** When firmware dumps by itself unless the registration of this boot is taken back; in milliseconds of the clock. */
  automaticDump: z.strictObject({ epoch: z.int().min(0), at: z.number() }).optional(),
  /**
   * When firmware takes a system reset for one that no kernel handles, because `ibm,nmi-interlock` has not come in this
   * boot; in milliseconds of the clock.
   */
  awaitedInterlock: z.strictObject({ epoch: z.int().min(0), at: z.number() }).optional(),
  /** What `ibm,nmi-register` has been told in this boot. */
  nmiHandlers: z
    .strictObject({ epoch: z.int().min(0), systemReset: z.int(), machineCheck: z.int() })
    .optional(),
  /** What firmware has been told to do wrong. */
  faults: z.array(firmwareFault).readonly().default([]),
})
export type FirmwareRecord = Readonly<z.output<typeof firmwareRecord>>

/** Partitions whose record is remembered as it was last read or written. */
const rememberedMax = 1024

const codec = rememberedCodec<FirmwareRecord>(rememberedMax, {
  encode: (record) => JSON.stringify(z.encode(firmwareRecord, record)),
  decode: (text) => z.decode(firmwareRecord, JSON.parse(text) as never),
})

export const encodeFirmwareRecord: (record: FirmwareRecord) => string = codec.encode

/** The result is shared with whoever reads the same text. */
export const decodeFirmwareRecord: (text: string) => FirmwareRecord = codec.decode

/** What others are told of it. */
export function partitionOf(record: FirmwareRecord, epoch: Epoch): Partition {
  const {
    dumpStructure: _structure,
    incarnation: _incarnation,
    faults: _faults,
    automaticDump: _automaticDump,
    awaitedInterlock: _awaitedInterlock,
    nmiHandlers: _nmiHandlers,
    ...visible
  } = record
  return { ...visible, epoch }
}
