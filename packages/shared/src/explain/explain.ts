/** From bytes to an explanation, to lines, and to the fields in which two structures differ. */
import { CoreFormatError } from '../elf/index.ts'
import { RegisterSaveAreaError } from '../fadump/index.ts'
import { DeviceTreeError } from '../fdt/index.ts'
import { LayoutError, printFields } from '../layout/index.ts'
import { RtasCallError } from '../rtas/index.ts'
import { equalBytes } from '../units/index.ts'
import type { CorePiece } from './core-window.ts'
import { crashInfoParts } from './crash-info.ts'
import { elfParts } from './elf.ts'
import {
  StructureError,
  type CpuChoice,
  type Explanation,
  type ExplainOptions,
  type Field,
  type Part,
  type StructureKind,
} from './explanation.ts'
import { fdmParts } from './fdm.ts'
import { fdtParts } from './fdt.ts'
import { regsaveParts } from './regsave.ts'
import { rtasParts } from './rtas-call.ts'

const partsOf: Readonly<
  Record<StructureKind, (bytes: Uint8Array, choice: CpuChoice) => Generator<Part>>
> = {
  fdm: (bytes) => fdmParts(bytes),
  regsave: regsaveParts,
  'crash-info': crashInfoParts,
  elf: (bytes, choice) => elfParts([{ offset: 0, bytes }], choice),
  fdt: fdtParts,
  rtas: rtasParts,
}

/** The structure at the start of `bytes`. Bytes that are none, or not a whole one, are told in `defect`. */
export function explain(
  kind: StructureKind,
  bytes: Uint8Array,
  options: ExplainOptions = {},
): Explanation {
  return collect(kind, partsOf[kind](bytes, options.cpus ?? 'first'))
}

/** A vmcore of which only the parts that `readCoreParts` asks for have been read. */
export function explainCore(
  pieces: readonly CorePiece[],
  options: ExplainOptions = {},
): Explanation {
  return collect('elf', elfParts(pieces, options.cpus ?? 'first'))
}

/** The explanation as lines, for people and for the messages of failing tests. Never throws for any bytes. */
export function explainStructure(
  kind: StructureKind,
  bytes: Uint8Array,
  options: ExplainOptions = {},
): string[] {
  return printExplanation(explain(kind, bytes, options))
}

/** Parts with titles, fields in columns, remarks; the defect comes last. */
export function printExplanation({ parts, defect }: Explanation): string[] {
  const lines = parts.flatMap(({ title, fields, remarks = [], depth = 0 }) =>
    [title, ...printFields(fields).map(indented), ...remarks.map((text) => `  (${text})`)].map(
      (line) => '  '.repeat(depth) + line,
    ),
  )
  return [...lines, ...(defect === undefined ? [] : [`not readable: ${defect}`])].map(printable)
}

/** Bytes that a structure calls text may be anything; a terminal must not obey them. */
function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, (character) => {
    const code = character.codePointAt(0) ?? 0
    return `\\x${code.toString(16).padStart(2, '0')}`
  })
}

/** The most differences that are told one by one. */
const differencesMax = 100

/**
 * One line for each field that differs, by its path; fields are compared wherever they stand, so what has only moved
 * does not differ. Empty when both structures say the same.
 */
export function diffStructures(kind: StructureKind, a: Uint8Array, b: Uint8Array): string[] {
  const [first, second] = [a, b].map((bytes) => explain(kind, bytes, { cpus: 'all' }))
  if (first === undefined || second === undefined) return []
  const differences = [...differentFields(byPath(first), byPath(second))]
  const [left, right] = [first.defect ?? 'readable', second.defect ?? 'readable']
  if (left !== right) differences.push(`the first is ${left}; the second is ${right}`)
  const more = differences.length - differencesMax
  return [
    ...differences.slice(0, differencesMax),
    ...(more > 0 ? [`… and ${more} more differences`] : []),
  ].map(printable)
}

function* differentFields(
  first: ReadonlyMap<string, Field>,
  second: ReadonlyMap<string, Field>,
): Generator<string> {
  for (const [path, field] of first) {
    const other = second.get(path)
    if (other === undefined) yield `${path}: ${told(field)}; the second has none`
    else if (field.value !== other.value || !equalBytes(field.bytes, other.bytes)) {
      yield `${path}: ${told(field)} ≠ ${told(other)}`
    }
  }
  for (const [path, field] of second) {
    if (!first.has(path)) yield `${path}: the first has none; ${told(field)}`
  }
}

function told({ value, meaning }: Field): string {
  return meaning === '' ? value : `${value} (${meaning})`
}

/** A path that occurs again gets a number. */
function byPath({ parts }: Explanation): Map<string, Field> {
  const fields = new Map<string, Field>()
  for (const field of parts.flatMap((part) => part.fields)) {
    let path = field.path
    for (let again = 2; fields.has(path); again += 1) path = `${field.path}#${again}`
    fields.set(path, field)
  }
  return fields
}

function collect(kind: StructureKind, generated: Generator<Part>): Explanation {
  const parts: Part[] = []
  try {
    for (const part of generated) parts.push(part)
  } catch (error) {
    if (!isDefect(error)) throw error
    return { kind, parts, defect: printable(error.message) }
  }
  return { kind, parts }
}

/** What the readers of the rooms below throw at bytes that are wrong. */
const defects = [
  StructureError,
  LayoutError,
  RegisterSaveAreaError,
  CoreFormatError,
  DeviceTreeError,
  RtasCallError,
]

function isDefect(error: unknown): error is Error {
  return defects.some((kind) => error instanceof kind)
}

function indented(line: string): string {
  return `  ${line}`
}
