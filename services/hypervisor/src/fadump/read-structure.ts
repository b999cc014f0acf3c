/**
 * Where the structures of a dump lie in a partition, and their bytes. Beside the dump itself this is the one place where
 * bytes of partition memory leave the machine room: those of the structures, and no others. Which they are, firmware
 * knows from its own copy of the dump memory structure, not from what the partition says.
 */
import {
  Problem,
  structureBytesMax,
  type PartitionStructure,
  type RegistrationState,
} from '@fadump-lab/shared/contracts'
import {
  crashInfoAddress,
  crashInfoHeaderLength,
  kernelProfiles,
  sectionsOfType,
  sectionType,
  type DumpMemoryStructure,
} from '@fadump-lab/shared/fadump'
import type { MemoryStore } from '@fadump-lab/shared/store'
import { rangeOf, type MemoryRange } from '@fadump-lab/shared/units'
import { bootDeviceTree } from '../boot/boot-device-tree.ts'
import type { FirmwareRecord } from '../partition/firmware-record.ts'
import type { Held } from '../partition/partitions.ts'
import { dumpStructureOf } from './firmware-dump.ts'

/** Errors: `wrong-state`, `not-found`. */
export async function readStructure(
  store: Pick<MemoryStore, 'read'>,
  { record, space }: Pick<Held, 'record' | 'space'>,
  structure: PartitionStructure,
): Promise<Uint8Array> {
  switch (structure) {
    case 'fdt':
      return bootDeviceTree(record)
    case 'fdm':
      registeredStructure(record, structure, anyDump)
      return record.dumpStructure ?? new Uint8Array(0)
    case 'regsave':
    case 'crash-info': {
      const { start, end } = placeOf(record, structure)
      return store.read(space, start, Number(end - start))
    }
  }
}

const anyDump: readonly RegistrationState[] = ['registered', 'dumping', 'active']
/** Firmware writes the register save area when it preserves memory. */
const preservedDump: readonly RegistrationState[] = ['active']

function placeOf(record: FirmwareRecord, name: 'regsave' | 'crash-info'): MemoryRange {
  const isRegsave = name === 'regsave'
  const structure = registeredStructure(record, name, isRegsave ? preservedDump : anyDump)
  const place = isRegsave ? cpuStatePlace(structure, record) : crashInfoPlace(structure, record)
  if (place === undefined) {
    throw new Problem(
      'not-found',
      `the dump memory structure of partition ${record.id} has no section that tells where in its memory ${name} lies`,
    )
  }
  return place
}

/** Firmware's copy. Errors: `wrong-state`. */
function registeredStructure(
  record: FirmwareRecord,
  name: PartitionStructure,
  allowedStates: readonly RegistrationState[],
): DumpMemoryStructure {
  const structure = dumpStructureOf(record)
  if (structure !== undefined && allowedStates.includes(record.registration)) return structure
  throw new Problem(
    'wrong-state',
    `the dump registration of partition ${record.id} is ${record.registration}; ${name} needs it to be ${allowedStates.join(' or ')}`,
    { extensions: { state: record.registration, allowedStates } },
  )
}

/** What firmware has written of the CPU state section; nothing when that failed. */
function cpuStatePlace(
  structure: DumpMemoryStructure,
  partition: FirmwareRecord,
): MemoryRange | undefined {
  const [section] = sectionsOfType(structure, sectionType.cpuState)
  if (section === undefined || section.bytesDumped === 0n) return undefined
  const { bytesDumped, destinationAddress } = section
  const length = bytesDumped < BigInt(structureBytesMax) ? bytesDumped : BigInt(structureBytesMax)
  return within(partition, destinationAddress, length)
}

/** Linux keeps its header behind the copy of boot memory. */
function crashInfoPlace(
  structure: DumpMemoryStructure,
  partition: FirmwareRecord,
): MemoryRange | undefined {
  const regions = sectionsOfType(structure, sectionType.realModeRegion)
  const areInMemory = regions.every(({ sourceAddress, destinationAddress, sourceLength }) =>
    [sourceAddress, destinationAddress].every(
      (address) => within(partition, address, sourceLength) !== undefined,
    ),
  )
  if (regions.length === 0 || !areInMemory) return undefined
  const length = BigInt(crashInfoHeaderLength(kernelProfiles[partition.profile]))
  return within(partition, crashInfoAddress(structure), length)
}

/** The range, when all of it is memory of the partition: sections say what the partition has registered. */
function within(
  { memoryBytes }: FirmwareRecord,
  start: bigint,
  length: bigint,
): MemoryRange | undefined {
  return start + length <= memoryBytes ? rangeOf(start, length) : undefined
}
