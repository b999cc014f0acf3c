/**
 * ELF64 cores of ppc64 kernels: the elfcorehdr in memory, the file that /proc/vmcore presents, NT_PRSTATUS and
 * VMCOREINFO, makedumpfile's flattened stream, and a reader for untrusted cores. Knows nothing of fadump.
 */
export {
  addressSpaceEnd,
  headersBytesMax,
  linearMapBase,
  machinePpc64,
  notesBytesMax,
  notesMax,
  programHeadersMax,
  prstatusNotesMax,
  segmentType,
  vmcoreinfoBytesMax,
} from './constants.ts'
export { CoreFormatError, coreRules, type CoreRule } from './core-format-error.ts'
export { coreElfHeader, elfHeaderLayout, readCoreElfHeader, type ElfHeader } from './elf-header.ts'
export {
  decodeProgramHeaders,
  encodeProgramHeaders,
  programHeaderLayout,
  type ProgramHeader,
} from './program-header.ts'
export {
  encodeNote,
  noteHeaderLayout,
  noteLength,
  notesOf,
  noteTerminator,
  type FoundNote,
  type Note,
  type NoteHeader,
} from './note.ts'
export {
  decodePrstatus,
  encodePrstatus,
  encodePrstatusNote,
  isPrstatus,
  noteTypePrstatus,
  prstatusLayout,
  prstatusNoteBytes,
  prstatusNoteName,
  registerCount,
  type Prstatus,
} from './prstatus-ppc64.ts'
export {
  appendCrashTime,
  composeVmcoreinfo,
  encodeVmcoreinfoArea,
  encodeVmcoreinfoNote,
  isVmcoreinfo,
  parseVmcoreinfo,
  vmcoreinfo,
  vmcoreinfoNoteBytes,
  vmcoreinfoNoteName,
  vmcoreinfoRules,
  vmcoreinfoText,
  type VmcoreinfoEntry,
  type VmcoreinfoRules,
} from './vmcoreinfo.ts'
export {
  composeCoreHeaders,
  coreHeadersLength,
  decodeCoreHeaders,
  encodeCoreHeaders,
  withCpuNotes,
  type CoreHeaders,
  type CoreHeadersInput,
  type LoadSegment,
  type NoteSegment,
} from './core-headers.ts'
export {
  modernVmcoreLayout,
  planVmcore,
  realNotesLength,
  v5VmcoreLayout,
  type VmcoreLayout,
  type VmcorePlan,
  type VmcoreSegment,
  type VmcoreSource,
} from './vmcore-plan.ts'
export {
  memoryRangesOf,
  piecesOf,
  populatedFileRanges,
  populatedRangesOf,
} from './vmcore-lookup.ts'
export {
  FlattenedDecoder,
  flattenedEnd,
  flattenedHeader,
  flattenedHeaderBytes,
  flattenedHeaderLayout,
  flattenedRecord,
  flattenedRecordLayout,
  isFlattened,
  type FlattenedDecoderOptions,
  type FlattenedPiece,
  type FlattenedRecord,
} from './flattened.ts'
export type { CoreLoad } from './core-segments.ts'
export {
  CoreStreamReader,
  type CoreContents,
  type CoreOutline,
  type CorePiece,
  type CoreReaderOptions,
} from './core-reader.ts'
