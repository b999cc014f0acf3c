/** `./lab explain`: a structure of a dump, field by field, from a file or from a running partition. */
import {
  printExplanation,
  structureKinds,
  type Explanation,
  type ExplainOptions,
  type StructureKind,
} from '@fadump-lab/shared/explain'
import { exitCodes } from '@fadump-lab/shared/runtime'
import { toHex } from '@fadump-lab/shared/units'
import { UsageError } from './command.ts'
import { DataError } from './explain/errors.ts'
import { explainFile } from './explain/from-file.ts'
import { explainPartition } from './explain/from-partition.ts'

export interface ExplainRequest {
  /** The kind of structure, then a file or with `api` a partition. */
  readonly operands: readonly string[]
  /** Base URL of a console. */
  readonly api: string | undefined
  /** File with a token of that console. */
  readonly tokenFile: string
  readonly cpu: number | undefined
  readonly json: boolean
  readonly out: (line: string) => void
}

/** Prints what can be read, then throws for what cannot; answers with the exit code. */
export async function explainCommandLine(request: ExplainRequest): Promise<number> {
  const { kind, target } = parseOperands(request)
  const options = request.cpu === undefined ? {} : { cpus: { only: request.cpu } }
  const explanation = await load(request, { kind, target }, options)
  const { defect, ...readable } = explanation
  if (request.json) request.out(explanationJson(explanation))
  else printExplanation(readable).forEach(request.out)
  if (defect === undefined) return exitCodes.ok.code
  throw new DataError(`${target} is no whole ${kind}: ${defect}`)
}

function parseOperands({ operands, cpu }: ExplainRequest): {
  readonly kind: StructureKind
  readonly target: string
} {
  const [kind = '', target, ...more] = operands
  if (!isKind(kind)) {
    const list = Object.entries(structureKinds).map(([name, what]) => `${name} (${what})`)
    throw new UsageError(
      `${JSON.stringify(kind)} is no structure; the structures are ${list.join(', ')}`,
    )
  }
  if (target === undefined || more.length > 0) {
    throw new UsageError(
      `explain ${kind} takes one file or partition, not ${operands.length - 1}: ./lab help explain`,
    )
  }
  if (cpu !== undefined && !kindsWithCpus.includes(kind)) {
    throw new UsageError(`--cpu is for ${kindsWithCpus.join(', ')}: ${kind} has no list of CPUs`)
  }
  return { kind, target }
}

const kindsWithCpus: readonly StructureKind[] = ['regsave', 'elf', 'fdt']

function isKind(word: string): word is StructureKind {
  return Object.hasOwn(structureKinds, word)
}

function load(
  { api, tokenFile }: ExplainRequest,
  { kind, target }: { readonly kind: StructureKind; readonly target: string },
  options: ExplainOptions,
): Promise<Explanation> {
  return api === undefined
    ? explainFile(kind, target, options)
    : explainPartition(kind, { partition: target, api, tokenFile }, options)
}

/** The explanation with bytes as hexadecimal text. */
function explanationJson(explanation: Explanation): string {
  const parts = explanation.parts.map((part) => ({
    ...part,
    fields: part.fields.map((field) => ({ ...field, bytes: toHex(field.bytes) })),
  }))
  return JSON.stringify({ ...explanation, parts }, null, 2)
}
