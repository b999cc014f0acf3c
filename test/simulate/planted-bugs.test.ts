/** The bugs that the simulator is tried with stay true to the sources. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { repositoryRoot } from '../support/tools.ts'
import { foundSeeds } from './found-seeds.ts'
import { simulatedBugs } from './planted-bugs.ts'

test('the seeds that are known to find a bug are below 10,000, and their bugs are in the table', () => {
  const seeds = Object.entries(foundSeeds)
  const names = new Set(simulatedBugs.map(({ name }) => name))
  assert.deepEqual(
    seeds.filter(([name, seed]) => !names.has(name) || seed < 1 || seed > 10_000),
    [],
  )
})

test('the text that a bug replaces occurs exactly once in its file', () => {
  const moved = simulatedBugs.filter(({ file, find }) => {
    const text = readFileSync(join(repositoryRoot, file), 'utf8')
    return text.split(find).length !== 2
  })
  assert.deepEqual(
    moved.map(({ name }) => name),
    [],
  )
})
