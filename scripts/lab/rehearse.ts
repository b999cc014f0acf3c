/** `./lab rehearse`: whether a dump would fit, of a described system or of a running partition, without crashing anything. */
import { rehearse, type Verdict } from '@fadump-lab/shared/capture-memory'
import { exitCodes } from '@fadump-lab/shared/runtime'
import { systemOf } from './capture-memory/options.ts'
import { UsageError } from './command.ts'
import { rehearsePartition } from './rehearse-partition.ts'
import { rehearsalText, type ToldRehearsal } from './rehearsal-text.ts'

/** The exit code of a rehearsal whose dump does not fit. */
const failsCode = 1

export interface RehearseRequest {
  /** A partition, or nothing. */
  readonly operands: readonly string[]
  /** Base URL of the console that has it. */
  readonly api: string | undefined
  /** File with a token of that console. */
  readonly tokenFile: string
  /** Boot arguments to be appended for the capture boot. */
  readonly append: string | undefined
  /** Values of `systemOptions`. */
  readonly values: Readonly<Record<string, unknown>>
  readonly json: boolean
  readonly out: (line: string) => void
}

export async function rehearseCommandLine(request: RehearseRequest): Promise<number> {
  const partition = partitionOf(request)
  return partition === undefined ? rehearseDescribed(request) : rehearseRunning(request, partition)
}

interface NamedPartition {
  readonly partition: string
  readonly api: string
}

function partitionOf({ operands, api, append }: RehearseRequest): NamedPartition | undefined {
  const [partition, ...more] = operands
  if (more.length > 0) {
    throw new UsageError(
      `rehearse takes one partition, not ${operands.length}: ./lab help rehearse`,
    )
  }
  if (partition !== undefined && api !== undefined) return { partition, api }
  if (partition !== undefined) {
    throw new UsageError(
      `${JSON.stringify(partition)} is a partition: name its console with --api, or describe a system with --memory and --cpus`,
    )
  }
  if (api !== undefined) {
    throw new UsageError(
      '--api needs a partition of that console: ./lab rehearse --api URL PARTITION',
    )
  }
  if (append === undefined) return undefined
  throw new UsageError(
    '--append is for a partition: a described system has options for what is set',
  )
}

function rehearseDescribed({ values, json, out }: RehearseRequest): number {
  const rehearsal = rehearse(systemOf(values))
  return told({ ...rehearsal, phases: rehearsal.account }, { json, out, answer: rehearsal })
}

async function rehearseRunning(
  { values, append, tokenFile, json, out }: RehearseRequest,
  { partition, api }: NamedPartition,
): Promise<number> {
  const change = { values, append }
  const { reply, system } = await rehearsePartition({ api, tokenFile }, partition, change)
  return told({ ...reply, system }, { json, out, answer: reply })
}

interface Way extends Pick<RehearseRequest, 'json' | 'out'> {
  /** What JSON shows. */
  readonly answer: { readonly verdict: Verdict }
}

function told(rehearsal: ToldRehearsal, { json, out, answer }: Way): number {
  out(json ? JSON.stringify(answer, undefined, 2) : rehearsalText(rehearsal))
  return answer.verdict === 'fail' ? failsCode : exitCodes.ok.code
}
