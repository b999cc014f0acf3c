/** The seed that all property tests of one run draw from: a commit's own, so that CI tests a commit the same way twice. */
import { spawnSync } from 'node:child_process'
import { UsageError } from './command.ts'

const seedMax = 0x7fff_ffff
const seedWithoutCommit = 1

/** `wanted` when given (`UsageError` unless it is an integer from 0 to 2³¹ − 1), else from the commit checked out. */
export function propertySeed(wanted: string | undefined, root: string): number {
  if (wanted === undefined || wanted === '') return seedOfCommit(root)
  const seed = Number(wanted)
  if (/^\d+$/.test(wanted) && seed <= seedMax) return seed
  throw new UsageError(`PROPERTY_SEED is an integer from 0 to ${seedMax}, not ${wanted}`)
}

function seedOfCommit(root: string): number {
  const git = spawnSync('git', ['rev-parse', 'HEAD'], { cwd: root, encoding: 'utf8' })
  if (git.status !== 0) return seedWithoutCommit
  return Number.parseInt(git.stdout.slice(0, 8), 16) & seedMax
}
