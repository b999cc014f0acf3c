/** The beginning of the long check (sequence.test.ts), in this thread: what `npm run mutate` asks about planted bugs. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkSequences } from './check-sequences.ts'

const seed = 20_111_118
const runs = 400

test('400 generated sequences end as the reference model says', async () => {
  const { isGreen, text } = await checkSequences({ seed, runs })
  assert.ok(isGreen, text)
})
