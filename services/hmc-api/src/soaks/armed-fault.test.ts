/** Counting and taking back the fault of a crash while another fault of the plan strikes the same services. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { newFault, Problem, type RoomFault } from '@fadump-lab/shared/contracts'
import { VirtualClock } from '@fadump-lab/shared/runtime'
import { ArmedFault } from './armed-fault.ts'
import type { PlannedFault } from './fault-plan.ts'

const away = () => new Problem('dependency-unavailable', 'the memory store does not answer')
const planned: PlannedFault = {
  fault: { name: 'regsave-magic' },
  allows: 'either',
  needs: {},
}

/** Services that answer after so many refusals of each kind. */
function services(refusals: { arm?: number; list?: number; disarm?: number; unread?: number }) {
  const left = { arm: 0, list: 0, disarm: 0, unread: 0, ...refusals }
  const armed: RoomFault[] = []
  const answer = (what: keyof typeof left) => {
    if (left[what] === 0) return
    left[what] -= 1
    throw away()
  }
  const faults = {
    arm: async () => {
      answer('arm')
      const place = { service: 'hypervisor', considered: 1, struck: 1 } as const
      const fault: RoomFault = {
        ...newFault.parse({ name: 'regsave-magic', scope: { partition: 'p1' } }),
        id: 'f-1',
        considered: 1,
        struck: 1,
        processes: [place],
      }
      armed.push(fault)
      return fault
    },
    list: async () => {
      answer('list')
      const isUnread = left.unread > 0
      if (isUnread) left.unread -= 1
      return {
        processes: [],
        armed: isUnread ? [] : [...armed],
        unreadPartitions: isUnread ? ['p1'] : [],
        catalogue: [],
      }
    },
    disarm: async () => {
      answer('disarm')
      if (armed.length === 0) throw new Problem('not-found', 'no such fault is armed')
      armed.splice(0)
    },
  }
  return { faults, armed }
}

const taken = { label: 'regsave-magic', struck: 1, isForgotten: false }

suite('the fault of one crash', () => {
  for (const what of ['arm', 'list', 'disarm', 'unread'] as const) {
    test(`is counted and taken back although ${what} is refused for a while`, async () => {
      const clock = new VirtualClock()
      const { faults, armed } = services({ [what]: 40 })
      const done = ArmedFault.arm({ faults, clock }, planned, 'p1').then((fault) => fault.take())
      assert.deepEqual(await clock.runUntil(done), taken)
      assert.deepEqual(armed, [], 'nothing is left to strike another crash')
    })
  }

  test('that somebody has taken back already is no failure', async () => {
    const clock = new VirtualClock()
    const { faults, armed } = services({})
    const fault = await ArmedFault.arm({ faults, clock }, planned, 'p1')
    armed.splice(0)
    const outcome = await clock.runUntil(fault.take())
    assert.deepEqual([outcome.struck, outcome.isForgotten], [0, true])
  })

  test('that cannot be taken back is told', async () => {
    const clock = new VirtualClock()
    const { faults } = services({ disarm: 1000 })
    const fault = await ArmedFault.arm({ faults, clock }, planned, 'p1')
    await assert.rejects(clock.runUntil(fault.take()), { message: away().message })
  })
})
