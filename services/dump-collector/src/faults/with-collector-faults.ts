/** The collector's ports with the faults that can strike them: those of every service, and its disk. */
import { withFaults, type FaultTools } from '@fadump-lab/shared/faults'
import type { DumpCollectorDeps } from '../deps.ts'
import { nodeFiles } from '../store/files.ts'
import { faultyFiles } from './faulty-files.ts'

export function withCollectorFaults(deps: DumpCollectorDeps, tools: FaultTools): DumpCollectorDeps {
  return { ...withFaults(deps, tools), files: faultyFiles(deps.files ?? nodeFiles, tools) }
}
