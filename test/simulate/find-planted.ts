/**
 * `node test/simulate/find-planted.ts`: plants one bug after the other in a copy of the sources and simulates seeds until
 * one shows it. Prints bug, seed and what did not hold. A seed that fails without the bug too proves nothing.
 * The seed of found-seeds.ts is tried first; `--check` tries no other, `--record` writes what was found there. `--only
 * NAME,NAME` looks for some bugs, `--from` and `--seeds` say in which seeds, `--jobs` how many at a time.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { copySources, plant, type SourceCopy } from '../support/planted.ts'
import { repositoryRoot } from '../support/tools.ts'
import { foundSeeds } from './found-seeds.ts'
import { search, type Shown } from './search.ts'
import { simulatedBugs, type SimulatedBug } from './planted-bugs.ts'

/** Seeds of one process: what a run leaves behind in it is little, but not nothing. */
const seedsAtOnce = 500

const { values } = parseArgs({
  options: {
    from: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '10000' },
    only: { type: 'string' },
    jobs: { type: 'string', default: '1' },
    check: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
  },
})

async function main(): Promise<number> {
  const names = values.only?.split(',')
  const chosen = simulatedBugs.filter(({ name }) => names?.includes(name) ?? true)
  const bugs = values.check ? chosen.filter(({ name }) => foundSeeds[name] !== undefined) : chosen
  const found = new Map<string, number>()
  const left = [...bugs]
  await Promise.all(
    Array.from({ length: Number(values.jobs) }, async () => {
      await using copy = await copySources()
      for (let bug = left.shift(); bug !== undefined; bug = left.shift()) {
        const seen = await find(copy, bug)
        if (seen !== undefined) found.set(bug.name, seen.seed)
        tell(bug, seen)
      }
    }),
  )
  process.stdout.write(`${found.size} of ${bugs.length} planted bugs found\n`)
  if (values.record) await record(found)
  return found.size === bugs.length ? 0 : 1
}

function tell({ name }: SimulatedBug, seen: Shown | undefined): void {
  const seed = seen === undefined ? 'SURVIVED' : String(seen.seed)
  const what = seen === undefined ? '' : `${seen.invariant}: ${seen.text.slice(0, 120)}`
  process.stdout.write(`${name.padEnd(40)} ${seed.padStart(8)}  ${what.split('\n')[0]}\n`)
}

/** The recorded seed first: it costs one run. */
async function find(copy: SourceCopy, bug: SimulatedBug): Promise<Shown | undefined> {
  await using _bug = await plant(copy.root, bug)
  const known = foundSeeds[bug.name]
  const again = known === undefined ? undefined : await search(copy.root, known, 1)
  if (again !== undefined || values.check) return again
  const end = Number(values.from) + Number(values.seeds)
  for (let from = Number(values.from); from < end;) {
    const count = Math.min(seedsAtOnce, end - from)
    const seen = await search(copy.root, from, count)
    if (seen === undefined) from += count
    else if ((await search(repositoryRoot, seen.seed, 1)) === undefined) return seen
    else from = seen.seed + 1
  }
  return undefined
}

/** Seeds of bugs that were not looked for stay as they are. */
async function record(found: ReadonlyMap<string, number>): Promise<void> {
  const rows = simulatedBugs.flatMap(({ name }) => {
    const seed = found.get(name) ?? foundSeeds[name]
    return seed === undefined ? [] : [`  '${name}': ${seed},\n`]
  })
  await writeFile(
    join(repositoryRoot, 'test/simulate/found-seeds.ts'),
    '/** The seed that finds each planted bug: `node test/simulate/find-planted.ts --record` writes this. */\n' +
      `export const foundSeeds: Readonly<Record<string, number>> = {\n${rows.join('')}}\n`,
  )
}

process.exitCode = await main()
