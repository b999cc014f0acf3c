import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readText, sourceFiles } from '../style/sources.ts'
import { checklist, needsCheck, rowsIn, type ChecklistRow } from './checklist.ts'
import { checks } from './checks.ts'
import { cellName, cells } from './given.ts'
import { notYet } from './not-yet.ts'
import { collectProofs, idsInTitles } from './proofs.ts'

const proofs = collectProofs()
const ids = checklist.map(({ id }) => id)
const named = ({ id, statement }: ChecklistRow) => `${id} ${statement}`
const isProved = ({ id }: ChecklistRow) => checks[id] !== undefined || proofs.has(id)

describe('the conformance checklist', () => {
  test('has every id once, in ascending order', () => {
    assert.deepEqual(ids, [...new Set(ids)].toSorted())
  })

  test('has a row for every id that a test title starts with', () => {
    const unknown = [...proofs].filter(([id]) => !ids.includes(id))
    assert.deepEqual(unknown, [])
  })

  test('every row is proved or says why not yet', () => {
    const silent = checklist.filter((row) => !isProved(row) && row.notYet === undefined)
    assert.deepEqual(silent.map(named), [])
  })

  test('no row that is proved still says why not yet', () => {
    const proved = checklist.filter((row) => isProved(row) && row.notYet !== undefined)
    assert.deepEqual(proved.map(named), [])
  })

  test('every row but those of whole systems has a check of its own', () => {
    const without = checklist.filter(
      (row) => needsCheck(row) && checks[row.id] === undefined && row.notYet === undefined,
    )
    assert.deepEqual(without.map(named), [])
  })

  test('every check belongs to a row and runs somewhere', () => {
    const run = new Set(cells.flatMap((cell) => rowsIn(cell, checklist)).map(({ id }) => id))
    assert.deepEqual(
      Object.keys(checks).filter((id) => !run.has(id)),
      [],
    )
  })

  test('a row about one kernel or one firmware alone says why in its statement or beside it', () => {
    const silent = checklist.filter(
      ({ cells: where, narrowed, statement }) =>
        new Set(where.map(({ firmware }) => firmware)).size === 1 &&
        narrowed === undefined &&
        !/QEMU|PAPR/.test(statement),
    )
    assert.deepEqual(silent.map(named), [])
  })

  test('every cell has a file that runs it', () => {
    const files = sourceFiles().filter((path) => path.startsWith('test/conformance/'))
    for (const cell of cells) {
      const file = `test/conformance/${cell.profile}-${cell.firmware}.test.ts`
      assert.ok(files.includes(file), file)
      assert.match(readText(file), new RegExp(`conformance\\('${cellName(cell)}'\\)`))
    }
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
