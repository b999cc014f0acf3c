/** The structure in a running partition, through the console. */
import { hmcRoutes, partitionStructure, Problem } from '@fadump-lab/shared/contracts'
import {
  explain,
  explainCore,
  type CoreRange,
  type Explanation,
  type ExplainOptions,
  type StructureKind,
} from '@fadump-lab/shared/explain'
import { createClient, type Client } from '@fadump-lab/shared/http'
import { UnavailableError } from '@fadump-lab/shared/runtime'
import { concat } from '@fadump-lab/shared/units'
import { UsageError } from '../command.ts'
import { NoInputError } from './errors.ts'
import { readCore } from './read-core.ts'

type Console = Client<typeof hmcRoutes>

export interface PartitionOfConsole {
  readonly partition: string
  /** Base URL of the console. */
  readonly api: string
}

/** Errors: `UsageError`, `NoInputError` for what is not there, `UnavailableError`. */
export async function explainPartition(
  kind: StructureKind,
  { partition, api }: PartitionOfConsole,
  options: ExplainOptions,
): Promise<Explanation> {
  const routes = createClient(hmcRoutes, { baseUrl: api })
  try {
    if (kind === 'elf') return await explainLastDump(routes, partition, options)
    const structure = partitionStructure.safeParse(kind)
    if (!structure.success) {
      throw new UsageError(`${kind} is explained from a file only: a partition keeps none`)
    }
    const params = { partition, structure: structure.data }
    return explain(kind, await routes.getStructure({ params }), options)
  } catch (error) {
    throw refusalOf(error)
  }
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
    if (error instanceof Problem && error.slug === 'range-not-satisfiable') return new Uint8Array(0)
    throw error
  }
}

/** What the console refuses, as an error of the command line. */
function refusalOf(error: unknown): unknown {
  if (!(error instanceof Problem)) return error
  if (error.slug === 'dependency-unavailable') {
    return new UnavailableError(error.message)
  }
  return error.slug === 'invalid-request'
    ? new UsageError(error.message)
    : new NoInputError(error.message)
}
