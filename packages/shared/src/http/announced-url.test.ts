import assert from 'node:assert/strict'
import { test } from 'node:test'
import { announcedUrl } from './announced-url.ts'

const url = 'http://127.0.0.1:8080'

test('a service that listens on all addresses is reached by the name of its machine', () => {
  for (const host of ['0.0.0.0', '::']) {
    assert.equal(announcedUrl(url, { host, hostname: '3f2a9c' }), 'http://3f2a9c:8080')
  }
})

test('a service that listens on one address is reached there', () => {
  assert.equal(announcedUrl(url, { host: '127.0.0.1', hostname: '3f2a9c' }), url)
})
