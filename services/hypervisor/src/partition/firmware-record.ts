/**
 * What firmware knows of one partition, as it is kept beside the partition's memory (record `firmware`). The boot
 * generation is not part of it: the store itself counts epochs.
 */
import { base64Bytes, firmwareFault, partition, type Partition } from '@fadump-lab/shared/contracts'
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
  /** What firmware has been told to do wrong. */
  faults: z.array(firmwareFault).readonly().default([]),
})
export type FirmwareRecord = Readonly<z.output<typeof firmwareRecord>>

export function encodeFirmwareRecord(record: FirmwareRecord): string {
  return JSON.stringify(z.encode(firmwareRecord, record))
}

export function decodeFirmwareRecord(text: string): FirmwareRecord {
  return z.decode(firmwareRecord, JSON.parse(text) as never)
}

/** What others are told of it. */
export function partitionOf(record: FirmwareRecord, epoch: Epoch): Partition {
  const {
    dumpStructure: _structure,
    incarnation: _incarnation,
    faults: _faults,
    automaticDump: _automaticDump,
    ...visible
  } = record
  return { ...visible, epoch }
}
