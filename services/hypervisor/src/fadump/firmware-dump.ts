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

export interface SectionSizes {
  readonly cpuStateSize: ByteLength
  readonly hpteSize: ByteLength
}

type Sized = Pick<
  FirmwareRecord,
  'processors' | 'maximumProcessors' | 'threadsPerCore' | 'firmware'
>

/** What `ibm,configure-kernel-dump-sizes` says: room for every virtual CPU that there could be, online or not. */
export function advertisedSizes(record: Sized): SectionSizes {
  const personality = personalityOf(record)
  const { processors, maximumProcessors = processors, threadsPerCore = 1 } = record
  const cpus =
    personality.advertises === 'threads'
      ? maximumProcessors
      : Math.ceil(maximumProcessors / threadsPerCore)
  return sizesFor(cpus, personality)
}

/** What firmware has to write. PHYP fills what it has advertised; QEMU writes the threads that there are. */
export function producedSizes(record: Sized): SectionSizes {
  const personality = personalityOf(record)
  return personality.advertises === 'threads'
    ? advertisedSizes(record)
    : sizesFor(record.processors, personality)
}

function sizesFor(cpus: number, personality: FirmwarePersonality): SectionSizes {
  return {
    cpuStateSize: registerSaveAreaLength(cpus, personality),
    hpteSize: personality.hpteSize,
  }
}

/** Firmware's copy of the registered structure, or of the preserved one with its results. */
export function dumpStructureOf(record: FirmwareRecord): DumpMemoryStructure | undefined {
  return record.dumpStructure === undefined
    ? undefined
    : decodeDumpMemoryStructure(record.dumpStructure)
}
