/** What an explanation is made of, and the one error that ends it. */
import type { AnnotatedField } from '../layout/index.ts'

/** The structures that can be explained, and what each is. */
export const structureKinds = {
  fdm: 'dump memory structure, as registered or as ibm,kernel-dump',
  regsave: 'register save area',
  'crash-info': 'crash info header of Linux',
  elf: 'headers and notes of a vmcore',
  fdt: 'flattened device tree',
  rtas: 'RTAS argument buffer',
} as const satisfies Readonly<Record<string, string>>

export type StructureKind = keyof typeof structureKinds

export interface Field extends AnnotatedField {
  /** The field's place in the structure, such as `sections[1].bytes_dumped`: by it two structures are compared. */
  readonly path: string
}

/** Fields that belong together. */
export interface Part {
  readonly title: string
  readonly fields: readonly Field[]
  /** What is to be said after the fields. */
  readonly remarks?: readonly string[]
  /** How deep the part lies in other parts. Default 0. */
  readonly depth?: number
}

export interface Explanation {
  readonly kind: StructureKind
  /** As far as the bytes can be read. */
  readonly parts: readonly Part[]
  /** Why the bytes are not such a structure, or not a whole one. */
  readonly defect?: string
}

export interface ExplainOptions {
  /** Which CPUs are shown in full. Default: the first two. */
  readonly cpus?: CpuChoice
}

export type CpuChoice = 'first' | 'all' | { readonly only: number }

/** CPUs that are shown unless more are asked for. */
export const cpusShown = 2

/** The bytes are not what was asked for; the message names the place, the rule and the value. */
export class StructureError extends Error {
  override readonly name = 'StructureError'
}
