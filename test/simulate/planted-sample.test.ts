/** Some of the planted bugs, other ones with every commit: the simulator still finds them. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { seededRandom } from '@fadump-lab/shared/runtime'
import { propertySeed } from '../../scripts/lab/property-seed.ts'
import { copySources, plant } from '../support/planted.ts'
import { repositoryRoot } from '../support/tools.ts'
import { foundSeeds } from './found-seeds.ts'
import { search } from './search.ts'
import { simulatedBugs } from './planted-bugs.ts'

/** What CI has time for; `find-planted.ts --check` replays all. */
const bugsMax = 10
/** When its recorded seed shows a bug no longer, because something else is drawn from it, one of these has to. */
const seedsMax = 100
/** A bug that took more seeds than these is rare, and looked for at night only. */
const commonSeedMax = 20

const random = seededRandom(propertySeed(process.env['PROPERTY_SEED'], repositoryRoot))
const left = simulatedBugs.filter(({ name }) => (foundSeeds[name] ?? Infinity) <= commonSeedMax)
const chosen = Array.from({ length: Math.min(bugsMax, left.length) }, () =>
  left.splice(random.int(left.length), 1),
).flat()

const copy = await copySources()
after(() => copy[Symbol.asyncDispose]())

for (const bug of chosen) {
  test(`the simulator finds that ${bug.what} (${bug.name})`, async () => {
    await using _planted = await plant(copy.root, bug)
    const seed = foundSeeds[bug.name] ?? 1
    const found =
      (await search(copy.root, seed, 1)) ?? (await search(copy.root, seed + 1, seedsMax))
    assert.notEqual(found, undefined, `seeds ${seed} to ${seed + seedsMax} show nothing`)
  })
}
