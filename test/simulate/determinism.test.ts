/** A seed is a run: the same events at the same virtual times, whoever runs it, and whatever ran before. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { lastLine } from '../../scripts/lab/simulate/command.ts'
import { simulate } from '../../scripts/lab/simulate/simulation.ts'
import { repositoryRoot } from '../support/tools.ts'

const steps = 12
const seeds = [4, 13, 29]

async function lineOf(seed: number): Promise<string> {
  return lastLine(await simulate({ seed, steps }))
}

test('a seed gives the same hash again, in this process after other seeds and in another process', async () => {
  const first: string[] = []
  for (const seed of seeds) first.push(await lineOf(seed))
  const again: string[] = []
  for (const seed of seeds.toReversed()) again.unshift(await lineOf(seed))
  assert.deepEqual(again, first)
  const words = ['scripts/lab.ts', 'simulate', '--seed', '29', '--steps', String(steps)]
  const elsewhere = spawnSync(process.execPath, words, { cwd: repositoryRoot, encoding: 'utf8' })
  assert.equal(elsewhere.stdout.trimEnd().split('\n').at(-1), first[2])
})

test('other seeds give other runs', async () => {
  const lines = new Set<string>()
  for (const seed of seeds) lines.add((await lineOf(seed)).replace(/^seed \d+/, ''))
  assert.equal(lines.size, seeds.length)
})
