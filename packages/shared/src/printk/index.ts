/** The kernel's log in partition memory: the character ring of 3.4 and the record ring of modern kernels. */
export {
  appendAll,
  logBitsMax,
  logBitsMin,
  LogFormatError,
  type CharacterLogState,
  type KernelLog,
  type LogChange,
  type LogLayout,
  type LogLine,
  type LogState,
  type LogWrite,
  type ReadMemory,
  type RecordRingState,
  type StoredLine,
} from './kernel-log.ts'
export { formatDmesg, formatKmsg, lineBytesMax } from './text.ts'
export { characterLog } from './character-log.ts'
export { recordRing } from './record-ring.ts'
