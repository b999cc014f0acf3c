/** Faults of partitions' firmware while the memory store, in which they lie, does not answer for some of them. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { newFault, Problem, type FirmwareFault } from '@fadump-lab/shared/contracts'
import { FirmwareFaults } from './firmware-faults.ts'

type Hypervisor = ConstructorParameters<typeof FirmwareFaults>[0]

/** The hypervisor as far as faults go; `away`: partitions for which it is refused. */
function firmware() {
  const away = new Set<string>()
  const rows = new Map<string, FirmwareFault[]>()
  const of = async (params: Readonly<Record<string, string | undefined>>) => {
    const partition = params['partition'] ?? ''
    if (away.has(partition)) {
      throw new Problem('dependency-unavailable', 'the memory store does not answer')
    }
    return { partition, armed: rows.get(partition) ?? [] }
  }
  const hypervisor = {
    armFirmwareFault: async ({ params, body }: Parameters<Hypervisor['armFirmwareFault']>[0]) => {
      const { partition, armed } = await of(params)
      const row = { times: 1, ...body, hits: 0 } as FirmwareFault
      rows.set(partition, [...armed, row])
      return row
    },
    listFirmwareFaults: async ({ params }: Parameters<Hypervisor['listFirmwareFaults']>[0]) =>
      (await of(params)).armed,
    disarmFirmwareFaults: async ({ params }: Parameters<Hypervisor['disarmFirmwareFaults']>[0]) =>
      void rows.delete((await of(params)).partition),
  }
  const faults = new FirmwareFaults(hypervisor as unknown as Hypervisor)
  const arm = (partition: string, name: string) =>
    faults.arm(newFault.parse({ name, scope: { partition } }))
  return { faults, away, arm }
}

suite('firmware faults while the memory store is away', () => {
  test('those of other partitions are listed, and it is said whose are not', async () => {
    const { faults, away, arm } = firmware()
    await arm('p1', 'regsave-magic')
    await arm('p2', 'header-status-set')
    away.add('p1')
    const seen = await faults.list()
    assert.deepEqual(
      seen.armed.map(({ name }) => name),
      ['header-status-set'],
    )
    assert.deepEqual(seen.unreadPartitions, ['p1'])
    away.clear()
    const later = await faults.list()
    assert.deepEqual([later.armed.length, later.unreadPartitions], [2, []])
  })

  test('a fault of another partition, or of no firmware, is disarmed without asking this one', async () => {
    const { faults, away, arm } = firmware()
    await arm('p1', 'regsave-magic')
    const other = await arm('p2', 'header-status-set')
    away.add('p1')
    assert.equal(await faults.disarm('f-0123456789ab'), false)
    assert.equal(await faults.disarm(other.id), true)
    assert.deepEqual((await faults.list()).armed, [])
  })

  test('its own is not told to be gone: the refusal is', async () => {
    const { faults, away, arm } = firmware()
    const { id } = await arm('p1', 'regsave-magic')
    away.add('p1')
    await assert.rejects(faults.disarm(id), { slug: 'dependency-unavailable' })
    away.clear()
    assert.equal(await faults.disarm(id), true)
    assert.equal(await faults.disarm(id), false)
  })

  test('one that is not armed is not disarmed, and the others of its partition stay', async () => {
    const { faults, arm } = firmware()
    const gone = await arm('p1', 'regsave-magic')
    const stays = await arm('p1', 'header-status-set')
    assert.equal(await faults.disarm(gone.id), true)
    assert.equal(await faults.disarm(gone.id), false)
    assert.deepEqual(
      (await faults.list()).armed.map(({ id }) => id),
      [stays.id],
    )
  })
})
