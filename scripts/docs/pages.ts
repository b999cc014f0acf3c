/** The generated pages of docs/, each made from the tables that the code itself runs on. */
import { accessPage } from './access.ts'
import { confidence } from './confidence.ts'
import { configuration } from './configuration.ts'
import { faultsPage } from './faults.ts'
import { plantedBugs } from './planted-bugs.ts'
import { memoryFigures } from './memory-figures.ts'
import { metricsPage } from './metrics.ts'
import { networkDumpOom } from './network-dump-oom.ts'
import { problemsPage } from './problems.ts'
import { stateMachines } from './state-machines.ts'
import { wireFormats } from './wire-formats.ts'

/** File name below docs/ and what renders its text. */
export const pages: Readonly<Record<string, () => string>> = {
  'access.md': accessPage,
  'confidence.md': confidence,
  'configuration.md': configuration,
  'faults.md': faultsPage,
  'planted-bugs.md': plantedBugs,
  'network-dump-oom.md': networkDumpOom,
  ...memoryFigures,
  'metrics.md': metricsPage,
  'problems.md': problemsPage,
  'state-machines.md': stateMachines,
  'wire-formats.md': wireFormats,
}
