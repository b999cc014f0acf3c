/** What all tables of the truth share: modern kernels on QEMU's firmware, of the size that was observed. */
import { after, before } from 'node:test'
import type { Lpar, LparForm } from '../support/lpar.ts'
import { startCell, type Cell, type Given, type StartedCell } from '../conformance/given.ts'

export const observed: LparForm = {
  processors: 2,
  offlineCpus: [],
  bootArguments: 'console=hvc0 fadump=on',
  // RTAS lies at 0x2fff0000 in the machine that was observed.
  rmaBytes: 2 ** 30,
}

export interface TruthBench {
  /** Partitions for one test; they end with it. */
  given(name: string): Given
}

/** A bench for the tests of one suite. */
export function truthBench(cell: Cell = { profile: 'modern', firmware: 'qemu' }): TruthBench {
  const state: { started?: StartedCell } = {}
  before(async () => {
    state.started = await startCell(cell)
  })
  after(() => state.started?.[Symbol.asyncDispose]())
  return {
    given: (name) => {
      if (state.started === undefined) throw new Error('the bench did not start')
      return state.started.given(name)
    },
  }
}

/** A partition as observed, booted. */
export function lparOf(given: Given, form: LparForm = {}): Promise<Lpar> {
  return given.lpar({ ...observed, ...form })
}

/** Lines of fadump and of its firmware part, in order. */
export async function fadumpLines(lpar: Lpar): Promise<readonly string[]> {
  return (await lpar.log()).filter((line) => /^(rtas )?fadump: /.test(line))
}
