/** Part 12 of 16: random partitions, each crashed with its least boot memory and with one MiB less. */
import { test } from 'node:test'
import { assertBoundary } from './check-boundary.ts'

const seed = 2022

test(`random partitions of seed ${seed}: one MiB below the least boot memory fails as rehearsed, with it the dump gets through`, async () => {
  await assertBoundary(seed)
})
