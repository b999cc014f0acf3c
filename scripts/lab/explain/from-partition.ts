/** The structure in a running partition, through the console. */
import { isProblem, partitionStructure } from '@fadump-lab/shared/contracts'
import {
  explain,
  explainCore,
  type CoreRange,
  type Explanation,
  type ExplainOptions,
  type StructureKind,
} from '@fadump-lab/shared/explain'
import { UnavailableError } from '@fadump-lab/shared/runtime'
import { concat } from '@fadump-lab/shared/units'
import { UsageError } from '../command.ts'
import { askConsole, type Console, type ConsoleAddress } from '../console.ts'
import { NoInputError } from './errors.ts'
import { readCore } from './read-core.ts'

export interface PartitionOfConsole extends ConsoleAddress {
  readonly partition: string
}

/** Errors: `UsageError`, `NoInputError` for what is not there, `UnavailableError`. */
export async function explainPartition(
  kind: StructureKind,
  { partition, ...address }: PartitionOfConsole,
  options: ExplainOptions,
): Promise<Explanation> {
  return askConsole(address, async (routes) => {
    if (kind === 'elf') return explainLastDump(routes, partition, options)
    const structure = partitionStructure.safeParse(kind)
    if (!structure.success) {
      throw new UsageError(`${kind} is explained from a file only: a partition keeps none`)
    }
    const params = { partition, structure: structure.data }
    return explain(kind, await routes.getStructure({ params }), options)
  })
}

/** The vmcore of the partition's last dump, as it is stored. */
async function explainLastDump(
  routes: Console,
  partition: string,
  options: ExplainOptions,
): Promise<Explanation> {
  const { lastDump } = await routes.getPartition({ params: { partition } })
  if (lastDump === undefined) {
    throw new NoInputError(`partition ${partition} has no dump: crash it first`)
  }
  const pieces = await readCore((range) => download(routes, lastDump, range))
  return explainCore(pieces, options)
}

async function download(routes: Console, dump: string, range: CoreRange): Promise<Uint8Array> {
  const { offset, length } = range
  const headers = { range: `bytes=${offset}-${offset + length - 1}` }
  try {
    const { status, body } = await routes.downloadVmcore({ params: { dump }, headers })
    if (status !== 206)
      throw new UnavailableError(`${headers.range} of dump ${dump} is answered whole`)
    const chunks: Uint8Array[] = []
    for await (const chunk of body) chunks.push(chunk)
    return concat(chunks).subarray(0, length)
  } catch (error) {
    // Behind the end of the vmcore there is nothing.
    if (isProblem(error, 'range-not-satisfiable')) return new Uint8Array(0)
    throw error
  }
}
