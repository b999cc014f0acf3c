/** Requests of services that are not theirs to make, against partitions that really are in the state they are about. */
import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { hypervisorRoutes, lparKernelRoutes, type CallerName } from '@fadump-lab/shared/contracts'
import { createClient } from '@fadump-lab/shared/http'
import { bearer, dumpToken, dumpTokenHeader, type DumpClaim } from '@fadump-lab/shared/identity'
import { encodeRtasCall, rtasToken } from '@fadump-lab/shared/rtas'
import { testKeys } from '../support/keys.ts'
import { startRoomWithoutCollector, type PartialRoom } from '../support/room-without-collector.ts'

const MiB = 2 ** 20
const forbidden = { slug: 'forbidden', status: 403 }

/** Both services as `caller` reaches them, with a dump token if there is one. */
function as({ urls }: PartialRoom, caller: CallerName, token?: string) {
  const authorize = () => ({
    ...bearer(testKeys.secrets[caller])({ access: {} }),
    ...(token === undefined ? {} : { [dumpTokenHeader]: token }),
  })
  return {
    hypervisor: createClient(hypervisorRoutes, { baseUrl: urls.hypervisor, authorize }),
    kernel: createClient(lparKernelRoutes, { baseUrl: urls.kernel, authorize }),
  }
}

const asCollector = (room: PartialRoom, claim: DumpClaim) =>
  as(room, 'dump-collector', dumpToken(testKeys.dumpKey, claim)).kernel

async function crashed(room: PartialRoom, id: string): Promise<DumpClaim> {
  await room.boot({ id, memoryBytes: 1024 * MiB, processors: 1 })
  await room.crash(id)
  const { pendingDump, epoch } = await partitionOf(room, id)
  assert.ok(pendingDump !== undefined)
  return { dump: pendingDump, epoch }
}

const partitionOf = (room: PartialRoom, partition: string) =>
  room.hypervisor.getPartition({ params: { partition } })

/** What was refused, as `<who> <partition>: <operation>`. */
async function refusals({ events }: PartialRoom): Promise<string[]> {
  const rows = await events.read(undefined, 1000)
  return rows.flatMap(({ event: { event, subject, detail } }) =>
    event === 'refused'
      ? [`${String(detail?.['caller'])} ${String(detail?.['partition'])}: ${subject}`]
      : [],
  )
}

suite('a forged request', () => {
  test('for the dump of another partition, another crash or another boot gets nothing, and changes nothing', async () => {
    await using room = await startRoomWithoutCollector()
    const [mine, theirs] = [await crashed(room, 'p1'), await crashed(room, 'p2')]
    assert.equal(mine.epoch, theirs.epoch, 'so that only the dump tells them apart')
    const params = { partition: 'p2' }
    const forged: readonly DumpClaim[] = [
      mine,
      { ...theirs, dump: mine.dump },
      { ...theirs, dump: `${theirs.dump}1` },
    ]
    for (const claim of forged) {
      const kernel = asCollector(room, claim)
      await assert.rejects(kernel.readVmcore({ params }), forbidden)
      await assert.rejects(kernel.readVmcoreManifest({ params }), forbidden)
      await assert.rejects(kernel.releaseDump({ params, body: '1' }), forbidden)
    }
    const late = asCollector(room, { ...theirs, epoch: theirs.epoch - 1 })
    await assert.rejects(late.readVmcore({ params }), { slug: 'stale-boot' })
    await assert.rejects(late.releaseDump({ params, body: '1' }), { slug: 'stale-boot' })
    const { state, pendingDump } = await partitionOf(room, 'p2')
    assert.deepEqual([state, pendingDump], ['capturing', theirs.dump])
    const told = await refusals(room)
    assert.equal(
      told.filter((row) => row === 'dump-collector p2: GET /partitions/:partition/proc/vmcore')
        .length,
      3,
    )

    const { body } = await asCollector(room, theirs).readVmcore({ params })
    const [magic] = await firstOf(body)
    assert.equal(magic, 0x7f, 'and its holder reads it')
    await asCollector(room, theirs).releaseDump({ params, body: '1' })
    assert.equal((await partitionOf(room, 'p2')).state, 'running')
    assert.equal((await partitionOf(room, 'p1')).state, 'capturing')
  })

  test('by services whose work it is not is refused and told: create, register, crash, read, release', async () => {
    await using room = await startRoomWithoutCollector()
    await room.boot({ id: 'p1', memoryBytes: 1024 * MiB, processors: 1 })
    const { epoch } = await partitionOf(room, 'p1')
    const params = { partition: 'p1' }
    const before = await room.hypervisor.getStructure({ params: { ...params, structure: 'fdm' } })
    const call = { token: rtasToken('ibm,configure-kernel-dump'), args: [2, 0, 0], returnCount: 1 }
    const body = encodeRtasCall(call)
    const [collector, kernelHost, monitor, console] = [
      as(room, 'dump-collector'),
      as(room, 'lpar-kernel'),
      as(room, 'monitor'),
      as(room, 'hmc-api'),
    ]
    const attempts: readonly (() => Promise<unknown>)[] = [
      () =>
        kernelHost.hypervisor.createPartition({
          body: { id: 'p2', memoryBytes: 256 * MiB, processors: 1 },
        }),
      () => collector.hypervisor.rtasCall({ params, query: { epoch }, body }),
      () => console.hypervisor.rtasCall({ params, query: { epoch }, body }),
      () => collector.hypervisor.putVcpus({ params, body: { epoch, vcpus: [] } }),
      () => collector.hypervisor.killPartition({ params }),
      () => kernelHost.hypervisor.deletePartition({ params }),
      () => collector.kernel.crash({ params, body: {} }),
      () => kernelHost.kernel.crash({ params, body: {} }),
      () => monitor.kernel.crash({ params, body: {} }),
      () => console.kernel.systemResetInterrupt({ params, body: { epoch } }),
      () => console.kernel.readVmcore({ params }),
      () =>
        collector.kernel.writeFile({
          params: { ...params, '*': 'kernel/fadump/registered' },
          body: '0',
        }),
      () => collector.kernel.releaseDump({ params, body: '1' }),
      () => kernelHost.kernel.releaseDump({ params, body: '1' }),
    ]
    for (const attempt of attempts) await assert.rejects(attempt(), forbidden)
    const after = await room.hypervisor.getStructure({ params: { ...params, structure: 'fdm' } })
    assert.deepEqual(after, before)
    const { state, registration, crashes } = await partitionOf(room, 'p1')
    assert.deepEqual([state, registration, crashes], ['running', 'registered', 0])
    assert.equal((await room.hypervisor.listPartitions({})).length, 1)
    const told = await refusals(room)
    assert.equal(told.length, attempts.length)
    assert.deepEqual(told.slice(0, 2), [
      'lpar-kernel undefined: POST /partitions',
      'dump-collector p1: POST /partitions/:partition/rtas',
    ])
  })
})

async function firstOf(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  for await (const chunk of body) return chunk
  return new Uint8Array(0)
}
