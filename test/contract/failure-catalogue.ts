/**
 * What can go wrong in a room that takes dumps, row by row, after the failures that other systems of the field test
 * for. Each row has tests, or a sentence of docs/limits.md, or both where tests show a part of it.
 */
import type { FailureRow } from './failure-row.ts'
import { failuresOfPartitions } from './failures-of-partitions.ts'
import { failuresOfServices } from './failures-of-services.ts'

export const failureCatalogue: Readonly<Record<number, FailureRow>> = {
  ...failuresOfPartitions,
  ...failuresOfServices,
}
