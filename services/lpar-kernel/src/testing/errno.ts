/** Refusals of file operations, as tests expect them. */
import assert from 'node:assert/strict'
import { Problem } from '@fadump-lab/shared/contracts'
import type { Errno } from '../kernel/errno.ts'

/** `work` must be refused with `errno`, and with words that `detail` knows. */
export async function rejectsWith(
  errno: Errno,
  work: Promise<unknown>,
  detail: RegExp = /./,
): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(error instanceof Problem, String(error))
    assert.equal(error.slug, 'errno', error.message)
    assert.equal(error.extensions['errno'], errno, error.message)
    assert.match(error.message, detail)
    return true
  })
}
