import assert from 'node:assert/strict'
import test from 'node:test'
import { bytesOf, publishedAt } from './docker-words.ts'

/** As `docker stats --format '{{.MemUsage}}'` of Docker 26.1 writes it. */
const usages = [
  ['38.5MiB / 384MiB', 40_370_176],
  ['1.5GiB / 2.5GiB', 1_610_612_736],
  ['912KiB / 512MiB', 933_888],
  ['0B / 0B', 0],
  ['-- / --', undefined],
  ['', undefined],
] as const

for (const [text, bytes] of usages) {
  test(`a container with ${JSON.stringify(text)} takes ${bytes} bytes`, () => {
    assert.equal(bytesOf(text), bytes)
  })
}

/** As `docker port CONTAINER 8080/tcp` writes it. */
const ports = [
  ['127.0.0.1:18911\n', '127.0.0.1:18911'],
  ['0.0.0.0:8080\n[::]:8080\n', '127.0.0.1:8080'],
  ['[::]:8080\n', undefined],
  ['', undefined],
] as const

for (const [text, address] of ports) {
  test(`a port published at ${JSON.stringify(text)} is reached at ${address}`, () => {
    assert.equal(publishedAt(text), address)
  })
}
