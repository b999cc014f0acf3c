import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as keys from './keys.ts'
import { pageDigest, pageId } from './page-id.ts'

const id = { frame: 'server-1', space: 'partition/p7' }

test('all keys of a frame carry its hash tag, so that they lie in one slot of a cluster', () => {
  const made = [
    keys.spacesKey(id.frame),
    keys.trashKey(id.frame),
    keys.referencesKey(id.frame),
    keys.pagePrefix(id.frame),
    keys.spaceKey(id),
    keys.recordsKey(id),
    keys.recordKey(id, 'firmware'),
    keys.leavesKey(id),
    keys.leafPrefix(id),
    keys.stagingsKey(id),
    keys.stagedPrefix(id),
  ]
  for (const key of made) assert.match(key, /^memory:\{server-1\}:/)
  assert.equal(new Set(made).size, made.length)
})

test('a page is kept under its SHA-256', () => {
  // printf abc | sha256sum; the same digits | xxd -r -p | basenc --base64url
  const digest = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
  const name = pageId(new TextEncoder().encode('abc'))
  assert.equal(name, 'ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0')
  assert.equal(pageDigest(name), digest)
  assert.equal(keys.pageKey('server-1', name), `memory:{server-1}:page:${name}`)
})
