/** The law of the least boot memory: with it the dump gets through, with one MiB less the boot ends where it was said. */
import assert from 'node:assert/strict'
import { openRoom } from '../sequence/room.ts'
import { drawConfigurations, processorsMax } from './configurations.ts'
import { crashWith } from './crashes.ts'
import { importSmallPages } from './images.ts'

export interface Tally {
  readonly configurations: number
  /** Of them, those whose kernel has pages of 4 KiB. */
  readonly smallPages: number
  /** Crashes that ended in each phase. */
  readonly phases: ReadonlyMap<string, number>
  /** Rehearsals that said something else than what the crash came to, in words. */
  readonly disagreements: readonly string[]
}

/** Two crashes for each of `count` configurations; `seed` draws the same ones again. */
export async function checkBoundary(seed: number, count: number): Promise<Tally> {
  await using room = await openRoom()
  await importSmallPages(room, processorsMax)
  const phases = new Map<string, number>()
  const disagreements: string[] = []
  const configurations = drawConfigurations(seed, count)
  let smallPages = 0
  for (const [index, configuration] of configurations.entries()) {
    const { minimumMiB, form, bootArguments } = configuration
    for (const bootMemoryMiB of [minimumMiB - 1, minimumMiB]) {
      const id = `b${index}-${bootMemoryMiB}`
      const crash = await crashWith(room, configuration, { id, bootMemoryMiB })
      const { failure, verdict, explanation } = crash.rehearsed
      const where = `seed ${seed}, ${id}: ${JSON.stringify(form)}, ${bootArguments(bootMemoryMiB)}`
      const isShort = bootMemoryMiB < minimumMiB
      assert.equal(crash.minimumMiB, minimumMiB, `the least boot memory; ${where}`)
      assert.equal(crash.ended !== 'through', isShort, `ended: ${crash.ended}; ${where}`)
      const said = verdict === 'fail' ? `${failure?.phase}: ${explanation}` : 'through'
      const happened = isShort ? `${crash.ended}: ${crash.failure}` : 'through'
      if (said !== happened) disagreements.push(`${said} / ${happened}; ${where}`)
      phases.set(crash.ended, (phases.get(crash.ended) ?? 0) + 1)
      if (isShort && crash.rehearsed.system.pageKiB === 4) smallPages += 1
    }
  }
  return { configurations: configurations.length, smallPages, phases, disagreements }
}

/** Enough for a planted bug to show, and done in seconds. */
export const firstConfigurations = 40
/**
 * Configurations of each further test file. There are sixteen of them: with the first ones a thousand configurations, every
 * core has work, and no test comes near its time limit.
 */
export const configurationsPerFile = 60

/** A test file's share: the law holds, every rehearsal was right, and failures are spread over phases and page sizes. */
export async function assertBoundary(seed: number, count = configurationsPerFile): Promise<void> {
  const { configurations, smallPages, phases, disagreements } = await checkBoundary(seed, count)
  assert.deepEqual(disagreements, [])
  assert.equal(configurations, count)
  assert.equal(phases.get('through'), count)
  // Without failures in several phases the agreement would mean little.
  assert.ok(phases.size >= 5, [...phases.keys()].join(', '))
  assert.ok(smallPages >= count / 8, `${smallPages} with pages of 4 KiB`)
}
