import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checklist } from './checklist.ts'
import { notYet } from './not-yet.ts'
import { collectProofs, idsInTitles } from './proofs.ts'

const proofs = collectProofs()
const ids = checklist.map(({ id }) => id)

describe('the conformance checklist', () => {
  test('has every id once, in ascending order', () => {
    assert.deepEqual(ids, [...new Set(ids)].toSorted())
  })

  test('has a row for every id that a test title starts with', () => {
    const unknown = [...proofs].filter(([id]) => !ids.includes(id))
    assert.deepEqual(unknown, [])
  })

  test('every row is proved by a test or says why not yet', () => {
    const silent = checklist.filter(({ id, notYet }) => !proofs.has(id) && notYet === undefined)
    assert.deepEqual(
      silent.map(({ id, statement }) => `${id} ${statement}`),
      [],
    )
  })

  test('no row that a test proves still says why not yet', () => {
    assert.deepEqual(
      [...notYet.keys()].filter((id) => proofs.has(id)),
      [],
    )
  })

  test('every excuse belongs to a row', () => {
    assert.deepEqual(
      [...notYet.keys()].filter((id) => !ids.includes(id)),
      [],
    )
  })
})

test('a title proves the rows whose ids it starts with', () => {
  const [first, second, third, inside] = ['C001', 'C002', 'C003', 'C004']
  const source = `
    test('${first} the header is 40 bytes', () => {})
    test(\`${second}, ${third} and so on for \${what}\`, () => {})
    test('as ${inside} says', () => {})`
  assert.deepEqual(idsInTitles(source), [first, second, third])
})
