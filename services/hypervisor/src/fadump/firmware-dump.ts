/** What this firmware offers a partition as regards dumps: the personality and the sizes it advertises. */
import {
  decodeDumpMemoryStructure,
  firmwarePersonalities,
  registerSaveAreaLength,
  type DumpMemoryStructure,
  type FirmwarePersonality,
} from '@fadump-lab/shared/fadump'
import type { ByteLength } from '@fadump-lab/shared/units'
import type { FirmwareRecord } from '../partition/firmware-record.ts'

/** How the partition's firmware decides where PAPR and QEMU differ. */
export function personalityOf(record: Pick<FirmwareRecord, 'firmware'>): FirmwarePersonality {
  return firmwarePersonalities[record.firmware]
}

/** Sizes of the sections that firmware fills: enough for every virtual CPU, online or not. */
export function firmwareSectionSizes(record: Pick<FirmwareRecord, 'processors' | 'firmware'>): {
  readonly cpuStateSize: ByteLength
  readonly hpteSize: ByteLength
} {
  const personality = personalityOf(record)
  return {
    cpuStateSize: registerSaveAreaLength(record.processors, personality),
    hpteSize: personality.hpteSize,
  }
}

/** Firmware's copy of the registered structure, or of the preserved one with its results. */
export function dumpStructureOf(record: FirmwareRecord): DumpMemoryStructure | undefined {
  return record.dumpStructure === undefined
    ? undefined
    : decodeDumpMemoryStructure(record.dumpStructure)
}
