import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as keys from './keys.ts'
import { pageId } from './page-id.ts'

const id = { frame: 'server-1', space: 'partition/p7' }

test('all keys of a frame carry its hash tag, so that they lie in one slot of a cluster', () => {
  const made = [
    keys.spacesKey(id.frame),
    keys.trashKey(id.frame),
    keys.referencesKey(id.frame),
    keys.pagePrefix(id.frame),
    keys.spaceKey(id),
    keys.recordsKey(id),
    keys.leavesKey(id),
    keys.leafPrefix(id),
    keys.stagingsKey(id),
    keys.stagedPrefix(id),
  ]
  for (const key of made) assert.match(key, /^memory:\{server-1\}:/)
  assert.equal(new Set(made).size, made.length)
})

test('a page is kept under the first 132 bits of its SHA-256', () => {
  // printf abc | sha256sum: ba7816bf 8f01cfea 414140de 5dae2223 b00361a3 96177a9c b410ff61 f20015ad
  const name = pageId(new TextEncoder().encode('abc'))
  assert.equal(name, 'ungWv48Bz-pBQUDeXa4iI7')
  assert.equal(keys.pageKey('server-1', name), `memory:{server-1}:page:ungWv48Bz-pBQUDeXa4iI7`)
})
