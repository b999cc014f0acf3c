import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { hypervisorRoutes } from '@fadump-lab/shared/contracts'
import { asDeclared } from '@fadump-lab/shared/identity'
import { createHeapEventLog, createInProcessQueues } from '@fadump-lab/shared/queue'
import { seededRandom, systemClock } from '@fadump-lab/shared/runtime'
import { createHeapMemoryStore } from '@fadump-lab/shared/store'
import { createLogger, createMetrics } from '@fadump-lab/shared/telemetry'
import { testKeys } from '../../../test/support/keys.ts'
import { buildHypervisor } from './index.ts'
import { createFaultyStore } from './testing/faulty-store.ts'
import { startHypervisor } from './testing/started-hypervisor.ts'

suite('a hypervisor', () => {
  test('that has not taken up its partitions yet refuses and is not ready', async () => {
    await using store = createHeapMemoryStore()
    await using service = buildHypervisor({
      identity: testKeys.identityOf('hypervisor'),
      store,
      queues: createInProcessQueues({ clock: systemClock }),
      events: createHeapEventLog(),
      clock: systemClock,
      random: seededRandom(1),
      logger: createLogger({ service: 'hypervisor', level: 'silent' }),
      metrics: createMetrics({ processMetrics: false }),
    })
    const headers = asDeclared(testKeys)(hypervisorRoutes.listPartitions)
    const statusOf = async (url: string) => (await service.app.inject({ url, headers })).statusCode
    assert.equal(await statusOf('/partitions'), 503)
    assert.equal(await statusOf('/readyz'), 503)
    assert.equal(await statusOf('/livez'), 200)
    await service.start('http://127.0.0.1:1')
    assert.equal(await statusOf('/partitions'), 200)
    assert.equal(await statusOf('/readyz'), 200)
  })

  test('whose store does not answer says so: 503 and not ready, and recovers with it', async () => {
    const faulty = createFaultyStore(createHeapMemoryStore())
    await using host = await startHypervisor({ store: faulty.store })
    const body = { id: 'p1', memoryBytes: 65_536, processors: 1 }
    faulty.arm({ call: 1, moment: 'before', lasts: 'for good' })
    await assert.rejects(host.client.createPartition({ body }), {
      slug: 'dependency-unavailable',
    })
    assert.equal((await fetch(`${host.url}/readyz`)).status, 503)
    faulty.disarm()
    assert.equal((await fetch(`${host.url}/readyz`)).status, 200)
    assert.equal((await host.client.createPartition({ body })).state, 'not-activated')
  })

  test('whose answer about a new partition was lost finds it when asked again', async () => {
    const faulty = createFaultyStore(createHeapMemoryStore())
    await using host = await startHypervisor({ store: faulty.store })
    const body = { id: 'p1', memoryBytes: 65_536, processors: 1 }
    faulty.arm({ call: 1, moment: 'after', lasts: 'once', operation: 'createSpace' })
    await assert.rejects(host.client.createPartition({ body }), {
      slug: 'dependency-unavailable',
    })
    await assert.rejects(host.client.createPartition({ body }), { slug: 'already-exists' })
    const found = await host.client.getPartition({ params: { partition: 'p1' } })
    assert.equal(found.state, 'not-activated')
  })
})
