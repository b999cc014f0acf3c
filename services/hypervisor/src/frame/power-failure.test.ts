import assert from 'node:assert/strict'
import { test } from 'node:test'
import { frameSpace, partitionSpace } from '@fadump-lab/shared/contracts'
import { startHypervisor, type StartedHypervisor } from '../testing/started-hypervisor.ts'

const frame = 'server-1'
const MiB = 2 ** 20

async function twoPartitions(): Promise<StartedHypervisor> {
  const room = await startHypervisor()
  for (const id of ['on', 'off']) {
    await room.client.createPartition({ body: { id, memoryBytes: 1024 * MiB, processors: 1 } })
  }
  await room.client.activatePartition({ params: { partition: 'on' } })
  return room
}

async function losePower({ store }: StartedHypervisor): Promise<void> {
  for (const space of await store.listSpaces(frame)) await store.deleteSpace({ frame, space })
}

test('partitions of a frame whose memory is lost are off, and say why', async () => {
  await using room = await twoPartitions()
  await losePower(room)
  const on = await room.client.getPartition({ params: { partition: 'on' } })
  assert.deepEqual(
    [on.state, on.registration, on.memoryBytes],
    ['not-activated', 'idle', BigInt(1024 * MiB)],
  )
  assert.match(on.lastFailure ?? '', /memory of frame server-1 was lost, as by a power failure/)
  const off = await room.client.getPartition({ params: { partition: 'off' } })
  assert.deepEqual([off.state, off.lastFailure], ['not-activated', undefined])
  const rows = (await room.events.read(undefined, 100)).map(({ event }) => event)
  assert.ok(rows.some(({ subject, event }) => subject === frame && event === 'powerFailure'))
  const told = rows.find(({ subject, event }) => subject === 'on' && event === 'powerOff')
  assert.deepEqual([told?.from, told?.to], ['starting', 'not-activated'])
  assert.match(String(told?.detail?.['cause']), /power failure/)
})

test('a partition that has lost its memory can be activated again', async () => {
  await using room = await twoPartitions()
  await losePower(room)
  const on = await room.client.activatePartition({ params: { partition: 'on' } })
  assert.deepEqual([on.state, on.lastFailure], ['starting', undefined])
  assert.equal((await room.client.listPartitions({})).length, 2)
})

test('a loss is noticed by looking whether the service is ready', async () => {
  await using room = await twoPartitions()
  await losePower(room)
  assert.equal((await fetch(`${room.url}/readyz`)).status, 200)
  const made = [...(await room.store.listSpaces(frame))].toSorted()
  assert.deepEqual(
    made,
    [frameSpace(frame), partitionSpace(frame, 'off'), partitionSpace(frame, 'on')].map(
      ({ space }) => space,
    ),
  )
})

test('a partition that was deleted stays deleted', async () => {
  await using room = await twoPartitions()
  await room.client.deletePartition({ params: { partition: 'off' } })
  await losePower(room)
  const left = await room.client.listPartitions({})
  assert.deepEqual(
    left.map(({ id }) => id),
    ['on'],
  )
})
