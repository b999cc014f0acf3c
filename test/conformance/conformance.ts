/** Runs the checklist for one kernel profile on one firmware personality, every row on the same bench. */
import test, { after, before, suite } from 'node:test'
import { checklist, rowsIn } from './checklist.ts'
import { checks } from './checks.ts'
import { cellNamed, startCell, type StartedCell } from './given.ts'

/** One check may take this long before the suite goes on without it. */
const checkTimeoutMs = 120_000

export function conformance(name: string): void {
  const cell = cellNamed(name)
  suite(`conformance of ${name}`, () => {
    const state: { started?: StartedCell } = {}
    before(async () => {
      state.started = await startCell(cell)
    })
    after(() => state.started?.[Symbol.asyncDispose]())
    for (const { id, statement } of rowsIn(cell, checklist)) {
      const check = checks[id]
      if (check === undefined) continue
      test(`${id} ${statement}`, { timeout: checkTimeoutMs }, async () => {
        await using given = state.started?.given(id)
        if (given === undefined) throw new Error('the bench did not start')
        await check(given)
      })
    }
  })
}
