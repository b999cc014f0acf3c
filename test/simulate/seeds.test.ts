/** Seeds that nobody has chosen: those of the commit. What one of them shows is printed with the command that repeats it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { propertySeed } from '../../scripts/lab/property-seed.ts'
import { simulateCommand } from '../../scripts/lab/simulate/command.ts'
import { repositoryRoot } from '../support/tools.ts'

/** What CI has time for; `./lab simulate --runs 10000` goes on. */
const runs = 300
const steps = 4

test('crashes and faults of 300 seeds leave every invariant whole', async () => {
  const lines: string[] = []
  const print = (line: string): void => void lines.push(line)
  const seed = propertySeed(process.env['PROPERTY_SEED'], repositoryRoot)
  const code = await simulateCommand({ seed, runs, steps, only: undefined, quiet: false, print })
  const told = lines.filter((line) => !/^seed \d+: \d+ events, hash/.test(line))
  assert.equal(code, 0, told.join('\n'))
})
