/** What the stores of a room hold: taken before the first partition and after the last one is deleted. */
import { queueNames } from '@fadump-lab/shared/contracts'
import { queueKeyPrefix } from '@fadump-lab/shared/queue'
import type { Clock } from '@fadump-lab/shared/runtime'
import type { Engine } from './engine.ts'

/** Names of what is there; figures only where they come back to the same value. */
export interface Level {
  /** Keys of redis-memory and redis-control. */
  readonly memoryKeys: readonly string[]
  readonly controlKeys: readonly string[]
  /** Files and directories of the dump store. */
  readonly files: readonly string[]
}

/** How long stores may take to give back what has been deleted. */
const returnTimeoutMs = 120_000
const pollMs = 500

function keysOfQueues(...kinds: readonly string[]): ReadonlySet<string> {
  return new Set(
    queueNames.flatMap((name) => kinds.map((kind) => `${queueKeyPrefix}:${name}:${kind}`)),
  )
}

/** What a queue has from its first job on, whatever is in it. */
const passing = keysOfQueues('id', 'meta', 'events', 'marker', 'stalled-check')
/** The last jobs that failed are kept for people to look at, so many and no more: they are no work that is left over. */
const failed = keysOfQueues('failed')

export async function levelOf(engine: Engine): Promise<Level> {
  return {
    memoryKeys: await keysOf(engine, 'redis-memory'),
    controlKeys: await controlKeysOf(engine),
    files: await filesOf(engine),
  }
}

/**
 * Waits until the level is `base` again; what is left when it does not come back, by store: `+` what is there and was not,
 * `-` what was there. `passOver`: rows that say nothing.
 */
export async function leftOver(
  engine: Engine,
  base: Level,
  {
    clock,
    passOver,
  }: {
    readonly clock: Clock
    readonly passOver: (name: keyof Level, row: string) => boolean
  },
): Promise<Partial<Level> | undefined> {
  const deadline = clock.now() + returnTimeoutMs
  for (;;) {
    const now = await levelOf(engine)
    const left = (['memoryKeys', 'controlKeys', 'files'] as const).flatMap((name) => {
      const rows = difference(now[name], base[name]).filter((row) => !passOver(name, row))
      return rows.length === 0 ? [] : [[name, rows] as const]
    })
    if (left.length === 0) return undefined
    if (clock.now() > deadline) return Object.fromEntries(left)
    await clock.sleep(pollMs)
  }
}

function difference(now: readonly string[], base: readonly string[]): readonly string[] {
  const more = now.filter((each) => !base.includes(each)).map((each) => `+ ${each}`)
  return [...more, ...base.filter((each) => !now.includes(each)).map((each) => `- ${each}`)]
}

async function controlKeysOf(engine: Engine): Promise<readonly string[]> {
  const keys = await keysOf(engine, 'redis-control')
  const server = (await engine.containers()).find(({ service }) => service === 'redis-control')
  const kept = new Set<string>()
  for (const list of keys.filter((key) => failed.has(key))) {
    if (server === undefined) break
    kept.add(list)
    const jobs = (await engine.redis(server, 'ZRANGE', list, '0', '-1')).split('\n')
    for (const job of jobs) kept.add(list.replace(/failed$/, job))
  }
  return keys.filter((key) => !passing.has(key) && !kept.has(key))
}

async function keysOf(engine: Engine, service: string): Promise<readonly string[]> {
  const server = (await engine.containers()).find((each) => each.service === service)
  if (server === undefined) return []
  const keys: string[] = []
  let cursor = '0'
  do {
    const reply = await engine.redis(server, 'SCAN', cursor, 'COUNT', '1000')
    const [next = '0', ...found] = reply.split('\n')
    keys.push(...found.filter((key) => key !== ''))
    cursor = next
  } while (cursor !== '0')
  return [...new Set(keys)].toSorted()
}

async function filesOf(engine: Engine): Promise<readonly string[]> {
  const collector = (await engine.containers()).find(({ service }) => service === 'dump-collector')
  if (collector === undefined) return []
  const list = await engine.exec(collector, 'find /dumps -mindepth 1')
  return list
    .split('\n')
    .filter((path) => path !== '')
    .toSorted()
}
