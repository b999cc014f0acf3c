import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { describeRefusal } from './describe-system.ts'
import { judge } from './evaluate.ts'
import { completeSystem } from './describe-system.ts'
import { sweepRefusals, sweepTables, type Sweep } from './sweep.ts'

const band: Sweep = {
  base: { preset: '2011', memoryMiB: 2048, cpus: 20, card: 'ehea', target: 'ssh' },
  axes: [
    { setting: 'queues', values: Array.from({ length: 16 }, (_, index) => index + 1) },
    { setting: 'bootMemoryMiB', values: [256, 320] },
  ],
}

describe('sweeps', () => {
  test('the band of 2011: one letter a queue pair, one text a size', () => {
    assert.deepEqual(
      [...sweepTables(band)],
      [{ z: undefined, rows: ['.....!LLLLLLLLLL', '..........!LLLLL'] }],
    )
  })

  test('a third axis makes a table a value', () => {
    const [x, y] = band.axes
    const sweep: Sweep = { ...band, axes: [x, y, { setting: 'target', values: ['ssh', 'local'] }] }
    const tables = [...sweepTables(sweep)]
    assert.deepEqual(
      tables.map(({ z }) => z),
      ['ssh', 'local'],
    )
    assert.deepEqual(tables[1]?.rows, ['................', '................'])
  })

  test('values that do not go together are a cell of their own', () => {
    const [x] = band.axes
    const sweep: Sweep = { ...band, axes: [x, { setting: 'bootMemoryMiB', values: [2048] }] }
    assert.deepEqual([...sweepTables(sweep)][0]?.rows, ['----------------'])
  })

  test('a cell says what the evaluation of its system says', () => {
    const [x, y] = band.axes
    const [table] = [...sweepTables(band)]
    for (const [row, boot] of y.values.entries()) {
      for (const [column, queues] of x.values.entries()) {
        const described = completeSystem({
          ...band.base,
          bootMemoryMiB: Number(boot),
          queues: Number(queues),
        })
        assert.ok(described.isAccepted)
        const { verdict } = judge(described.system)
        const code = table?.rows[row]?.charAt(column) ?? ''
        assert.equal(code === '.' ? 'pass' : code === '!' ? 'warn' : 'fail', verdict)
      }
    }
  })
})

describe('axes are refused with the rule and the valid values', () => {
  const [x, y] = band.axes
  const refused: Readonly<Record<string, [axes: Sweep['axes'], words: RegExp]>> = {
    'a value that the setting does not take': [
      [{ setting: 'queues', values: [0, 1] }, y],
      /^queues 0: .*; valid: a whole number from 1 to 128$/,
    ],
    'an axis without values': [
      [{ setting: 'queues', values: [] }, y],
      /^queues \[\]: an axis has values/,
    ],
    'the same setting twice': [[x, x], /every axis has a setting of its own/],
    'too many cells': [
      [x, { setting: 'bootMemoryMiB', values: Array.from({ length: 2 ** 21 }, () => 320) }],
      /^cells 33554432: a sweep is bounded; valid: at most 16777216 combinations$/,
    ],
  }
  for (const [what, [axes, words]] of Object.entries(refused)) {
    test(what, () => {
      const [refusal] = sweepRefusals({ ...band, axes })
      assert.ok(refusal !== undefined)
      assert.match(describeRefusal(refusal), words)
    })
  }

  test('good axes are not refused', () => assert.deepEqual(sweepRefusals(band), []))
})
