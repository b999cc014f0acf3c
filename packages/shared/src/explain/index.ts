/** The structures of a dump explained field by field, from their bytes. Pure; builds on the rooms that read them. */
export {
  diffStructures,
  explain,
  explainCore,
  explainStructure,
  printExplanation,
} from './explain.ts'
export {
  cpusShown,
  structureKinds,
  type CpuChoice,
  type Explanation,
  type ExplainOptions,
  type Field,
  type Part,
  type StructureKind,
} from './explanation.ts'
export { readCoreParts, type CorePiece, type CoreRange } from './core-window.ts'
export { cpuListText } from './cpus.ts'
