/** Faults in the lives of partitions: what is done at their moment, and that nothing is done when it has passed. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  newFault,
  Problem,
  type BootSettings,
  type LabEvent,
  type Partition,
} from '@fadump-lab/shared/contracts'
import { FaultPlan } from '@fadump-lab/shared/faults'
import { createHeapEventLog } from '@fadump-lab/shared/queue'
import { VirtualClock } from '@fadump-lab/shared/runtime'
import { createLogger } from '@fadump-lab/shared/telemetry'
import { eventually } from '../../../../test/support/eventually.ts'
import { aPartition } from '../testing/fake-room.ts'
import { LifeFaults } from './life-faults.ts'

const away = new Problem('dependency-unavailable', 'the kernel host starts again')

/** A room in which partitions are what `partitions` says, and a kernel host that answers orders to crash as `answer` does. */
function room(answer: (partition: string) => Promise<undefined> = async () => undefined) {
  const clock = new VirtualClock()
  const events = createHeapEventLog()
  const plan = new FaultPlan({ service: 'hmc-api' })
  const partitions = new Map<string, Partition>()
  const settings: unknown[] = []
  const orders: [partition: string, epoch: number][] = []
  const faults = new LifeFaults(
    {
      clock,
      events,
      logger: createLogger({ service: 'hmc-api', level: 'silent' }),
      hypervisor: {
        getPartition: async ({ params }) =>
          partitions.get(params['partition'] ?? '') ?? aPartition(),
        changeBootSettings: async ({ body }) => {
          settings.push(body)
          return aPartition()
        },
      },
      kernel: {
        crash: ({ params, query }) => {
          const partition = params['partition'] ?? ''
          orders.push([partition, Number(query?.['epoch'])])
          return answer(partition)
        },
      },
    },
    plan,
  )
  return {
    clock,
    plan,
    partitions,
    settings,
    orders,
    arm: (name: string, given: { readonly partition?: string; readonly times?: number } = {}) => {
      const { partition, times = 1 } = given
      plan.arm(partition ?? name, newFault.parse({ name, times, scope: { partition } }))
    },
    struck: () => plan.list().map(({ struck }) => struck),
    tell: (partition: string, row: Pick<LabEvent, 'aggregate' | 'event' | 'to'>) =>
      events.append({
        time: clock.iso(),
        service: 'hypervisor',
        subject: partition,
        correlationId: 'c1',
        ...row,
      }),
    [Symbol.asyncDispose]: () => faults[Symbol.asyncDispose](),
  }
}

const up = { aggregate: 'partition', event: 'booted', to: 'running' } as const
const captureUp = { aggregate: 'partition', event: 'booted', to: 'capturing' } as const
const released = { aggregate: 'partition', event: 'released', to: 'running' } as const
const registered = { aggregate: 'registration', event: 'register', to: 'registered' } as const

suite('faults in the lives of partitions', () => {
  for (const [name, rows, state] of [
    ['crash-in-capture-kernel', [captureUp], 'capturing'],
    ['crash-loop', [up], 'running'],
    ['crash-loop', [released, registered], 'running'],
    ['second-crash', [released, registered], 'running'],
  ] as const) {
    test(`${name} crashes the kernel of that boot, after ${rows.map(({ event }) => event).join(' and ')}`, async () => {
      await using it = room()
      it.partitions.set('p1', aPartition({ state, epoch: 7 }))
      it.arm(name)
      for (const row of rows) await it.tell('p1', row)
      await eventually('the order is given', () => it.orders.length > 0)
      assert.deepEqual(it.orders, [['p1', 7]])
      assert.deepEqual(it.struck(), [1])
    })
  }

  test('a moment that has passed is none: the next one is', async () => {
    await using it = room()
    it.arm('crash-loop', { partition: 'p1' })
    // The partition has crashed by itself before the event was read.
    it.partitions.set('p1', aPartition({ state: 'capturing', epoch: 8 }))
    await it.tell('p1', up)
    it.arm('second-crash', { partition: 'p2' })
    it.partitions.set('p2', aPartition({ id: 'p2', epoch: 3 }))
    await it.tell('p2', released)
    await it.tell('p2', registered)
    await eventually('the other partition has crashed', () => it.orders.length > 0)
    it.partitions.set('p1', aPartition({ epoch: 9 }))
    await it.tell('p1', up)
    await eventually('its turn has come', () => it.orders.length > 1)
    assert.deepEqual(it.orders, [
      ['p2', 3],
      ['p1', 9],
    ])
  })

  test('a kernel host that is away is asked again, and the strike counts once', async () => {
    await using it = room(async () => {
      if (it.orders.length < 3) throw away
      return undefined
    })
    it.partitions.set('p1', aPartition({ epoch: 4 }))
    it.arm('crash-loop')
    await it.tell('p1', up)
    await eventually('it is away', () => it.orders.length === 1 && it.clock.pending > 0)
    await it.clock.advance(2_000)
    await eventually('the third is carried out', () => it.orders.length === 3)
    assert.deepEqual(it.orders, [
      ['p1', 4],
      ['p1', 4],
      ['p1', 4],
    ])
    assert.deepEqual(it.struck(), [1])
  })

  test('an order whose answer was lost, and which was carried out, is not given again', async () => {
    await using it = room(async () => {
      it.partitions.set('p1', aPartition({ state: 'capturing', epoch: 5 }))
      throw away
    })
    it.partitions.set('p1', aPartition({ epoch: 4 }))
    it.arm('crash-loop')
    await it.tell('p1', up)
    await eventually('the order is lost', () => it.orders.length === 1 && it.clock.pending > 0)
    await it.clock.advance(2_000)
    // Another partition shows that there was time for it.
    it.partitions.set('p2', aPartition({ id: 'p2', state: 'capturing', epoch: 1 }))
    it.arm('crash-in-capture-kernel')
    await it.tell('p2', captureUp)
    await eventually('the other order is given', () => it.orders.length === 2)
    assert.deepEqual(it.orders, [
      ['p1', 4],
      ['p2', 1],
    ])
    assert.deepEqual(it.struck(), [1, 1])
  })

  test('a partition whose kernel does not answer keeps no other from its moment', async () => {
    const hangs = Promise.withResolvers<undefined>()
    await using it = room((partition) =>
      partition === 'p1' ? hangs.promise : Promise.resolve(undefined),
    )
    using _answer = { [Symbol.dispose]: () => hangs.resolve(undefined) }
    it.arm('crash-loop', { times: 2 })
    await it.tell('p1', up)
    await it.tell('p2', up)
    await eventually('both orders are given', () => it.orders.length === 2)
    assert.deepEqual(
      it.orders.map(([partition]) => partition),
      ['p1', 'p2'],
    )
  })

  test('capture-oom: the settings are those of before when the hungry capture kernel has read its own', async () => {
    await using it = room()
    const before: BootSettings = { captureTarget: 'local', capture: { card: 'ibmveth' } }
    it.partitions.set('p1', aPartition({ epoch: 2, ...before }))
    it.arm('capture-oom')
    await it.tell('p1', up)
    await eventually('it crashes', () => it.orders.length === 1)
    await it.tell('p1', { aggregate: 'partition', event: 'bootFailed', to: 'error' })
    await eventually('they are given back', () => it.settings.length === 2)
    assert.deepEqual(it.settings, [
      { captureTarget: 'network', capture: { card: 'ehea', ports: 64, queues: 16 } },
      before,
    ])
  })
})
