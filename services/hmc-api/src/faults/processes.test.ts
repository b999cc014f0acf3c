import assert from 'node:assert/strict'
import test from 'node:test'
import { processesBehind } from './processes.ts'

const urls = {
  hypervisor: 'http://hypervisor:8081',
  'lpar-kernel': 'http://kernels:8082/',
  'dump-collector': 'http://collector:8083/below',
}
const authorize = () => ({})

/** Addresses that a name stands for, and the base URLs of its processes. */
const rows = [
  ['hypervisor', ['10.0.0.2'], ['http://10.0.0.2:8081']],
  [
    'lpar-kernel',
    ['10.0.0.9', '10.0.0.3', '10.0.0.9'],
    ['http://10.0.0.3:8082', 'http://10.0.0.9:8082'],
  ],
  ['dump-collector', ['fd00::7'], ['http://[fd00::7]:8083/below']],
] as const

for (const [service, found, expected] of rows) {
  test(`${service} is every process that its name stands for: ${expected.join(', ')}`, async () => {
    const asked: string[] = []
    const addresses = async (name: string) => {
      asked.push(name)
      return found
    }
    const processes = await processesBehind(urls, { authorize, addresses })(service)
    assert.deepEqual(
      processes.map(({ url }) => url),
      expected,
    )
    assert.deepEqual(asked, [new URL(urls[service]).hostname])
  })
}

test('an address in a URL needs no name', async () => {
  const loopback = { ...urls, hypervisor: 'http://127.0.0.1:8081', 'lpar-kernel': 'http://[::1]:1' }
  const find = processesBehind(loopback, { authorize })
  assert.deepEqual(
    (await find('hypervisor')).map(({ url }) => url),
    ['http://127.0.0.1:8081'],
  )
  assert.deepEqual(
    (await find('lpar-kernel')).map(({ url }) => url),
    ['http://[::1]:1'],
  )
})
