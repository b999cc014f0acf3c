import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { seededRandom } from '../runtime/index.ts'
import { dumpToken, isProven, newSecret, readDumpToken, signedCaptureJob } from './index.ts'

const random = seededRandom(7)
const key = newSecret('dump', random)
const other = newSecret('dump', random)
const claim = { dump: 'p1-00ff-1', epoch: 3 }

suite('the token of a dump', () => {
  test('is HMAC-SHA-256 over dump and boot', () => {
    // printf 'dump-token\np1-00ff-1\n3' | openssl dgst -sha256 -hmac fld_000…0
    assert.equal(
      dumpToken(`fld_${'0'.repeat(64)}`, claim),
      'fldt.p1-00ff-1.3.2e354444b31391762a2fdc9c82f94e97a522513eb7fb0ad01119e782a4afaa65',
    )
  })

  test('speaks for this dump and this boot', () => {
    assert.deepEqual(readDumpToken(key, dumpToken(key, claim)), claim)
  })

  test('is worth nothing when any part of it is changed, or made with another key', () => {
    const token = dumpToken(key, claim)
    const forged = [
      dumpToken(other, claim),
      token.replace('p1-00ff-1', 'p1-00ff-2'),
      token.replace('p1-', 'p2-'),
      token.replace('.3.', '.4.'),
      token.replace('.3.', '.03.'),
      `${token}0`,
      token.slice(0, -1),
      token.slice(0, -1) + (token.endsWith('0') ? '1' : '0'),
      token.toUpperCase(),
      '',
      'fldt',
      'fldt.p1-00ff-1.3.',
    ]
    for (const text of forged) assert.equal(readDumpToken(key, text), undefined, text)
  })
})

suite('a capture job', () => {
  const job = signedCaptureJob(key, {
    frame: 'server-1',
    partition: 'p1',
    ...claim,
    partitionUrl: 'http://kernel:8082/partitions/p1',
    correlationId: 'c1',
  })

  test('is proven by the key it was written with', () => {
    assert.equal(isProven(key, job), true)
    assert.equal(isProven(other, job), false)
  })

  test('is not proven when any field of it is changed', () => {
    const changes = [
      { frame: 'server-2' },
      { partition: 'p2' },
      { epoch: 4 },
      { dump: 'p1-00ff-2' },
      { partitionUrl: 'http://elsewhere/partitions/p1' },
      { correlationId: 'c2' },
      { proof: '0'.repeat(64) },
      { proof: '' },
    ]
    for (const change of changes) {
      assert.equal(isProven(key, { ...job, ...change }), false, JSON.stringify(change))
    }
  })

  test('does not hold what opens the dump', () => {
    const text = JSON.stringify(job)
    const [mac = ''] = dumpToken(key, claim).split('.').slice(-1)
    assert.equal(text.includes(mac), false)
    assert.equal(text.includes(key), false)
  })
})
