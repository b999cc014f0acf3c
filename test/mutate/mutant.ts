/** A planted bug that a test must notice: one change of the product's text, and the tests that are expected to see it. */
import type { Bug } from '../support/planted.ts'
import type { CapabilityName } from '../support/tools.ts'

export interface Mutant extends Bug {
  /** For `--only` and the report. */
  readonly name: string
  /** The bug in words of the field. */
  readonly what: string
  /** Test files relative to the top of the repository; they run in this order until one fails. */
  readonly tests: readonly string[]
  /** What the tests need of the machine: without it they would pass by being skipped. */
  readonly needs?: CapabilityName
}

/** Mutants of one source file: what they have in common stands once. */
export interface MutantsOfFile {
  readonly file: string
  readonly tests: readonly string[]
  readonly needs?: CapabilityName
  readonly bugs: readonly Pick<Mutant, 'name' | 'what' | 'find' | 'replace'>[]
}

export function mutantsOf(files: readonly MutantsOfFile[]): Mutant[] {
  return files.flatMap(({ bugs, ...common }) => bugs.map((bug) => ({ ...common, ...bug })))
}
