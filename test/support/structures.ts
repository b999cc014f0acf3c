/** Comparing the bytes of structures so that a failure names the fields that differ. */
import assert from 'node:assert/strict'
import {
  diffStructures,
  structureKinds,
  type StructureKind,
} from '../../packages/shared/src/explain/index.ts'
import { equalBytes, toHex } from '../../packages/shared/src/units/index.ts'

/** Every byte must be the same; the message tells field by field what is there and what was expected. */
export function assertSameStructure(
  kind: StructureKind,
  actual: Uint8Array,
  expected: Uint8Array,
): void {
  if (equalBytes(actual, expected)) return
  const fields = diffStructures(kind, actual, expected)
  // Bytes that no field owns.
  const differing = fields.length > 0 ? fields : [`${toHex(actual)} ≠ ${toHex(expected)}`]
  assert.fail([`${structureKinds[kind]}, actual ≠ expected:`, ...differing].join('\n'))
}
