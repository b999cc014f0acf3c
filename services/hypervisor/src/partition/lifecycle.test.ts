import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import {
  partitionMachine,
  Problem,
  records,
  type PartitionState,
} from '@fadump-lab/shared/contracts'
import { createHeapMemoryStore, type MemoryStore } from '@fadump-lab/shared/store'
import { fromHex, toBase64 } from '@fadump-lab/shared/units'
import { aCrashedGuest, kernelDump } from '../testing/crashed-guest.ts'
import { aGuest, aStartedGuest, type Guest } from '../testing/guest.ts'
import { startHypervisor, type StartedHypervisor } from '../testing/started-hypervisor.ts'
import { v5Structure } from '../testing/structures.ts'

type Expected = Readonly<Partial<Record<PartitionState, PartitionState | 'gone'>>>

interface Operation {
  readonly name: string
  readonly run: (host: StartedHypervisor, guest: Guest) => Promise<unknown>
  /** The state before → the state after; every other state refuses. */
  readonly expected: Expected
}

const of = (guest: Guest) => ({ params: { partition: guest.id } })

const restartable = {
  starting: 'starting',
  running: 'starting',
  'capture-starting': 'capture-starting',
  capturing: 'capture-starting',
} as const

const operations: readonly Operation[] = [
  {
    name: 'activate',
    run: ({ client }, guest) => client.activatePartition(of(guest)),
    expected: { 'not-activated': 'starting' },
  },
  {
    name: 'power off',
    run: ({ client }, guest) => client.powerOffPartition(of(guest)),
    expected: {
      starting: 'not-activated',
      running: 'not-activated',
      dumping: 'not-activated',
      'capture-starting': 'not-activated',
      capturing: 'not-activated',
      terminated: 'not-activated',
      error: 'not-activated',
    },
  },
  {
    name: 'restart',
    run: ({ client }, guest) => client.restartPartition(of(guest)),
    expected: { ...restartable, terminated: 'starting', error: 'starting' },
  },
  {
    name: 'system reset without a kernel that answers',
    run: ({ client }, guest) => client.systemReset(of(guest)),
    expected: { ...restartable, terminated: 'starting', error: 'starting' },
  },
  {
    name: 'delete',
    run: ({ client }, guest) => client.deletePartition(of(guest)),
    expected: { 'not-activated': 'gone' },
  },
  {
    name: 'device tree',
    run: ({ client }, guest) => client.getDeviceTree(of(guest)),
    expected: {
      starting: 'starting',
      running: 'running',
      dumping: 'dumping',
      'capture-starting': 'capture-starting',
      capturing: 'capturing',
      terminated: 'terminated',
      error: 'error',
    },
  },
  {
    name: 'ibm,os-term without a registered dump',
    run: (_host, guest) => guest.rtas('ibm,os-term', [0x8000]),
    expected: {
      starting: 'terminated',
      running: 'terminated',
      'capture-starting': 'terminated',
      capturing: 'terminated',
      terminated: 'terminated',
    },
  },
  {
    name: 'boot progress booted',
    run: (_host, guest) => guest.report('booted'),
    expected: {
      starting: 'running',
      running: 'running',
      'capture-starting': 'capturing',
      capturing: 'capturing',
    },
  },
  {
    name: 'boot progress rejected',
    run: (_host, guest) => guest.report('rejected'),
    expected: { 'capture-starting': 'starting', starting: 'starting', running: 'running' },
  },
  {
    name: 'boot progress bootFailed',
    run: (_host, guest) => guest.report('bootFailed'),
    expected: {
      starting: 'error',
      'capture-starting': 'error',
      capturing: 'error',
      error: 'error',
    },
  },
]

suite('every operation in every state of a partition', () => {
  for (const operation of operations) {
    for (const state of partitionMachine.states) {
      const to = operation.expected[state]
      const title = to === undefined ? 'is refused, and nothing changes' : `ends in ${to}`
      test(`${operation.name} while ${state} ${title}`, async () => {
        await using host = await startHypervisor()
        const guest = await aGuestIn(host, state)
        const before = await guest.partition()
        if (to === undefined) {
          await assert.rejects(operation.run(host, guest), (error) =>
            isWrongState(error, operation, state),
          )
          assert.deepEqual(await guest.partition(), before)
        } else {
          await operation.run(host, guest)
          const after = (await host.client.listPartitions({})).map((partition) => partition.state)
          assert.deepEqual(after, to === 'gone' ? [] : [to])
        }
      })
    }
  }
})

suite('a partition that fails with a dump pending', () => {
  for (const state of ['terminated', 'error'] as const) {
    test(`presents the dump again when it is restarted while ${state}`, async () => {
      await using host = await startHypervisor()
      const guest = await aGuestIn(host, state, { hasDump: true })
      const restarted = await host.client.restartPartition(of(guest))
      assert.equal(restarted.state, 'capture-starting')
      assert.equal(restarted.registration, 'active')
      assert.equal(restarted.pendingDump, 'p1-000000-1')
    })
  }
})

suite('what a boot or a power off ends', () => {
  test('C012 a restarted partition is not registered any more', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host)
    assert.equal(await guest.register(0x1_0000, v5Structure), 0)
    await host.client.restartPartition(of(guest))
    assert.equal((await guest.partition()).registration, 'idle')
    assert.equal(await guest.register(0x1_0000, v5Structure), 0)
  })

  test('C021 an invalidated dump is forgotten: no boot presents it again', async () => {
    await using host = await startHypervisor()
    const guest = await aCrashedGuest(host, v5Structure)
    await guest.report('booted')
    assert.match((await guest.partition()).pendingDump ?? '', /^p1-[0-9a-f]+-1$/)
    assert.deepEqual(await guest.rtas('ibm,configure-kernel-dump', [3, 0, 160]), [0])
    const { state, registration, pendingDump } = await guest.partition()
    assert.deepEqual([state, registration, pendingDump], ['running', 'idle', undefined])
    assert.equal((await host.client.restartPartition(of(guest))).state, 'starting')
    assert.equal(await kernelDump(host, guest), undefined)
  })

  test('power off gives the memory back', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host)
    await guest.write(0x12_3000n, fromHex('c0ffee'))
    assert.equal((await host.store.describe(guest.space))?.populatedPages, 1)
    await host.client.powerOffPartition(of(guest))
    assert.equal((await host.store.describe(guest.space))?.populatedPages, 0)
  })

  test('a restart that a power off by another hypervisor has overtaken is refused', async () => {
    const shared = createHeapMemoryStore()
    const overtaken: (() => Promise<unknown>)[] = []
    await using host = await startHypervisor({ store: runningBeforeCommit(shared, overtaken) })
    const guest = await aStartedGuest(host)
    await using other = await startHypervisor({ store: shared })
    overtaken.push(() => other.client.powerOffPartition(of(guest)))
    await assert.rejects(host.client.restartPartition(of(guest)), { slug: 'wrong-state' })
    assert.equal((await guest.partition()).state, 'not-activated')
  })
})

/** `inner`, in which each of `tasks` runs just before one commit. */
function runningBeforeCommit(inner: MemoryStore, tasks: (() => Promise<unknown>)[]): MemoryStore {
  return new Proxy(inner, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target)
      if (typeof member !== 'function') return member
      return async (...given: unknown[]): Promise<unknown> => {
        if (name === 'commit') await tasks.shift()?.()
        return Reflect.apply(member, target, given)
      }
    },
  })
}

function isWrongState(error: unknown, operation: Operation, state: PartitionState): boolean {
  assert.ok(error instanceof Problem)
  assert.equal(error.slug, 'wrong-state')
  assert.equal(error.extensions['state'], state)
  const { allowedStates } = error.extensions
  assert.ok(Array.isArray(allowedStates))
  for (const allowed of allowedStates) {
    assert.ok(partitionMachine.states.includes(allowed), `${allowed} is a state`)
    assert.ok(
      Object.hasOwn(operation.expected, allowed),
      `${operation.name} names ${allowed} as allowed`,
    )
  }
  return true
}

/** Puts the record of a new partition into `state`, with a dump where that state implies one. */
async function aGuestIn(
  host: StartedHypervisor,
  state: PartitionState,
  options: { readonly hasDump: boolean } = { hasDump: state.startsWith('captur') },
): Promise<Guest> {
  const guest = await aGuest(host)
  const { value } = await host.store.readRecord(guest.space, records.firmware)
  const structure = toBase64(fromHex(v5Structure))
  const dump = { registration: 'active', dumpStructure: structure, pendingDump: 'p1-000000-1' }
  const dumping = { ...dump, registration: 'dumping' }
  const record = {
    ...JSON.parse(value ?? '{}'),
    state,
    ...(options.hasDump ? dump : state === 'dumping' ? dumping : {}),
  }
  await host.store.commit(guest.space, {
    records: { [records.firmware]: JSON.stringify(record) },
  })
  return guest
}
