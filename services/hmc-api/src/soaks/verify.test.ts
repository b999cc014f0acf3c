/** Which dumps are those of a crash. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { aDump, aPartition } from '../testing/fake-room.ts'
import { stagedCrash, type StagedRoom } from './testing/staged-crash.ts'
import { verifyCrash } from './verify.ts'

const failed = (id: string) =>
  aDump({ id, status: 'failed', step: 'failed', failure: 'the connection broke' })

async function verified(
  room: Partial<StagedRoom> & { readonly isDisturbed?: boolean },
  lastDump?: string,
) {
  const { stage } = stagedCrash(room)
  stage.expected.outcome = 'either'
  const { dump } = await verifyCrash(stage, aPartition({ crashes: 1, epoch: 5, lastDump }))
  return { dump, isOne: stage.checks.find(({ name }) => name === 'at most one dump')?.passed }
}

suite('the dumps of a crash', () => {
  test('those of an earlier partition of the same name, told of late, are none', async () => {
    const dumps = [failed('p1-0000000a-1'), failed('p1-0000000a-7'), failed('p1-0000000b-1')]
    assert.deepEqual(await verified({ dumps }, 'p1-0000000b-1'), {
      dump: 'p1-0000000b-1',
      isOne: true,
    })
  })

  test('where firmware has preserved nothing, none is', async () => {
    const dumps = [failed('p1-0000000a-1')]
    assert.deepEqual(await verified({ dumps }), { dump: undefined, isOne: true })
  })

  test('firmware that has lost all memory cannot tell: then all are', async () => {
    const dumps = [failed('p1-0000000b-1')]
    assert.deepEqual(await verified({ dumps, lostMemory: true }), {
      dump: 'p1-0000000b-1',
      isOne: true,
    })
  })

  test('a second dump of the same partition is one too many', async () => {
    const dumps = [failed('p1-0000000b-1'), failed('p1-0000000b-5')]
    const { isOne } = await verified({ dumps }, 'p1-0000000b-1')
    assert.equal(isOne, false)
  })

  const late = [failed('p1-0000000b-1'), failed('p1-0000000b-2')]

  test('that of a crash which came when the partition was at rest is of that crash', async () => {
    const partition = aPartition({ crashes: 2 })
    const { isOne } = await verified({ dumps: late, partition, isDisturbed: true }, 'p1-0000000b-1')
    assert.equal(isOne, true)
  })

  test('one of a crash that nobody has counted is one too many, whatever came meanwhile', async () => {
    const partition = aPartition({ crashes: 1 })
    const { isOne } = await verified({ dumps: late, partition, isDisturbed: true }, 'p1-0000000b-1')
    assert.equal(isOne, false)
  })

  test('without anything from outside there is no such crash', async () => {
    const partition = aPartition({ crashes: 2 })
    assert.equal((await verified({ dumps: late, partition }, 'p1-0000000b-1')).isOne, false)
  })
})
