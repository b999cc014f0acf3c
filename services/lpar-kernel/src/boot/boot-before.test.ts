/** What a boot knows of the one before it, from the record that was written last. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toEpoch } from '@fadump-lab/shared/store'
import { bootBefore } from './boot-context.ts'

const failed = {
  epoch: 4,
  capture: { system: {}, timeline: [], failure: 'no memory', failedBoots: 2 },
  captureFailureBefore: 'no memory either',
}

test('the boot before was a capture boot that has failed: its sentence, and it counts', () => {
  assert.deepEqual(bootBefore(failed, toEpoch(5)), { failedBoots: 2, captureFailure: 'no memory' })
})

test('a host that has died in this boot had written its record already: this boot is not counted twice', () => {
  const before = { failedBoots: 1, captureFailure: 'no memory either' }
  assert.deepEqual(bootBefore(failed, toEpoch(4)), before)
})

test('nobody was there before, or a first kernel', () => {
  const nothing = { failedBoots: 0, captureFailure: undefined }
  assert.deepEqual(bootBefore(undefined, toEpoch(1)), nothing)
  assert.deepEqual(bootBefore({ epoch: 1 }, toEpoch(2)), nothing)
})
