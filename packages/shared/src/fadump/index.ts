/**
 * Firmware-assisted dump: the structures of PAPR and Linux, and what both sides conclude from them. Pure; imports
 * units, layout and rtas.
 */
export {
  commandLineBytesMax,
  kernelProfiles,
  type KernelProfile,
  type KernelProfileName,
  type KernelSource,
} from './kernel-profiles.ts'
export {
  firmwarePersonalities,
  type FirmwarePersonality,
  type FirmwarePersonalityName,
} from './firmware-personalities.ts'
export {
  decodeDumpMemoryStructure,
  decodeDumpSections,
  describeFlags,
  dumpFormatVersion,
  dumpRequestFlag,
  dumpSectionHeaderLayout,
  dumpSectionLayout,
  dumpSectionsMax,
  dumpStatusFlag,
  dumpStatusFlags,
  dumpStructureBytesMax,
  dumpStructureBytesWhole,
  dumpStructureLength,
  encodeDumpMemoryStructure,
  firstDumpSectionOffset,
  sectionErrorFlag,
  sectionErrorFlags,
  sectionsOfType,
  type DumpMemoryStructure,
  type DumpSection,
  type DumpSectionHeader,
  type FlagRow,
} from './dump-memory-structure.ts'
export {
  osSectionTypeFirst,
  sectionType,
  sectionTypeOf,
  sectionTypes,
  type SectionOwner,
  type SectionTypeRow,
} from './section-types.ts'
export {
  configureKernelDumpCommand,
  configureKernelDumpCommands,
  registrationMachine,
  type ConfigureKernelDumpCommand,
  type RegistrationEvent,
  type RegistrationState,
} from './registration.ts'
export {
  configureKernelDump,
  validateRegistration,
  type ConfigureKernelDumpResult,
  type ReadPartitionMemory,
  type Refusal,
  type RegistrationContext,
} from './validate-registration.ts'
export {
  planPreserve,
  type PreservePlan,
  type PreserveRequest,
  type SectionAction,
  type SectionOutcome,
} from './preserve-plan.ts'
export {
  cpuEndId,
  cpuStartId,
  misprintedIdentifiers,
  registerId,
  registerIdentifiers,
  registerName,
  registerNames,
  type RegisterGroup,
  type RegisterIdentifier,
} from './register-identifiers.ts'
export {
  namedRegisters,
  readRegisterSaveArea,
  readRegisterSaveAreaStart,
  registerEntryLayout,
  RegisterSaveAreaError,
  registerSaveAreaHeaderLayout,
  registerSaveAreaLength,
  registerSaveAreaMagic,
  registerSaveBytesPerCpu,
  registerSaveCpusMax,
  writeRegisterSaveArea,
  type RegisterEntry,
  type RegisterSaveAreaErrorCode,
  type SavedCpu,
  type SavedCpuEntries,
} from './register-save-area.ts'
export {
  hpteEntryLayout,
  hpteSaveAreaLayout,
  hpteSaveAreaLength,
  readHpteSaveArea,
  writeHpteSaveArea,
  type HpteEntry,
} from './hpte-save-area.ts'
export { machineStateText } from './machine-state.ts'
export {
  decodePtRegs,
  emptyPtRegs,
  encodePtRegs,
  gprIndexOf,
  linuxRegisters,
  namedRegistersOfPtRegs,
  kernelOnlyRegisters,
  ptRegsIndex,
  ptRegsNames,
  ptRegsOfEntries,
  type PtRegs,
} from './pt-regs.ts'
export {
  checkCrashInfoHeader,
  crashInfoHeaderLayout,
  crashInfoHeaderLength,
  crashInfoLayouts,
  crashInfoMagic,
  crashInfoVersion,
  crashingCpuUnknown,
  decodeCpuMask,
  decodeCrashInfoHeader,
  encodeCpuMask,
  encodeCrashInfoHeader,
  type CrashInfoHeader,
  type CrashInfoRefusal,
  type CrashInfoShape,
} from './crash-info-header.ts'
export {
  decodeDumpSizes,
  dumpProperties,
  dumpProperty,
  dumpSizeLayout,
  dumpVersionLayout,
  encodeDumpSizes,
  encodeDumpVersion,
  scanFirmwareDump,
  type DumpSize,
  type FirmwareDumpOption,
  type ScannedFirmwareDump,
} from './device-tree.ts'
export {
  bootMemoryDestination,
  bootRegionsOf,
  composeRegistration,
  crashInfoAddress,
  parameterAreaOf,
  type RegistrationInput,
} from './compose-registration.ts'
export {
  bootCopyRange,
  crashMemoryRanges,
  relocate,
  type CrashMemoryInput,
  type CrashMemoryRange,
  type RelocationInput,
} from './crash-memory-ranges.ts'
export { fadumpRegionText, type FadumpRegionInput } from './fadump-region.ts'
export {
  appendBootArguments,
  crashkernelOf,
  parseKernelArguments,
  splitCommandLine,
  type CommandLineArgument,
  type KernelArguments,
} from './kernel-arguments.ts'
export { parseCrashkernel, type Crashkernel } from './crashkernel-argument.ts'
export { memparse } from './memparse.ts'
export { planReservation } from './boot-memory.ts'
export type { ReservationInput, ReservationPlan } from './reservation-plan.ts'
export { bootRegionsFor, type BootRegions } from './boot-regions.ts'
export {
  noteBufferBytes,
  notesBufferBytesMax,
  processDump,
  selectCpuRegisters,
  type AcceptedDump,
  type CpuRegisters,
  type CpuSelection,
  type ProcessedDump,
  type ProcessInput,
  type RejectedDump,
} from './process-dump.ts'
