/** What a soak does to a partition while the services that it asks lose answers. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { Problem } from '@fadump-lab/shared/contracts'
import { VirtualClock } from '@fadump-lab/shared/runtime'
import { Hands } from './hands.ts'
import type { SoakTools } from './soak-tools.ts'

const lost = () => new Problem('dependency-unavailable', 'the kernel host got no answer through')
const refused = (slug: 'errno' | 'already-exists') => new Problem(slug, 'it is so already')

/** Hands whose requests all end as `outcomes` says, one after the other, and then well. */
function hands(outcomes: readonly Error[]) {
  const clock = new VirtualClock()
  const left = [...outcomes]
  const answer = async () => {
    const error = left.shift()
    if (error !== undefined) throw error
  }
  const deps = {
    clock,
    kernel: { writeFile: answer, rehearse: answer },
    hypervisor: { createPartition: answer },
  }
  const run = { correlationId: 'c', signal: new AbortController().signal }
  return { clock, left, hands: new Hands({ deps } as unknown as SoakTools, 'p1', run) }
}

const form = { id: 'p1', memoryBytes: 2 ** 30, processors: 1 }
const orders = {
  write: {
    give: (subject: Hands) => subject.write('kernel/dlpar', 'memory remove index 2147483652'),
    done: refused('errno'),
  },
  create: { give: (subject: Hands) => subject.create(form), done: refused('already-exists') },
} as const

suite('the hands of a soak', () => {
  for (const [name, { give, done }] of Object.entries(orders)) {
    test(`${name}: a repeat that is refused finds done what had no answer`, async () => {
      const subject = hands([lost(), done])
      await subject.clock.runUntil(give(subject.hands))
      assert.deepEqual(subject.left, [])
    })

    test(`${name}: a first refusal is one`, async () => {
      const subject = hands([done])
      await assert.rejects(subject.clock.runUntil(give(subject.hands)), done)
    })

    test(`${name}: a repeat that is refused otherwise is a refusal`, async () => {
      const other = new Problem('wrong-state', 'the partition is off')
      const subject = hands([lost(), other])
      await assert.rejects(subject.clock.runUntil(give(subject.hands)), other)
    })
  }

  test('a rehearsal is asked for again while nobody answers', async () => {
    const subject = hands([lost(), lost()])
    await subject.clock.runUntil(subject.hands.rehearse())
    assert.deepEqual(subject.left, [])
  })
})
