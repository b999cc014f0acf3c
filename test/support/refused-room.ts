/** A room with one of everything that a request can be wrong about, and tables of requests that it refuses. */
import assert from 'node:assert/strict'
import test, { after, before, suite } from 'node:test'
import { aVmcore } from '../../packages/shared/src/elf/core-builder.ts'
import { assertRefused, type RawRequest } from './refusals.ts'
import { startRoom, type Room } from './room.ts'

const GiB = 2 ** 30
const mebibyte = 2 ** 20

/** What it is, method and path, status, what `detail` says, body. */
export type RefusedRow = readonly [
  what: string,
  to: string,
  status: number,
  detail: RegExp,
  body?: unknown,
]

/**
 * The room of the suite in which this is called, from before its first test: frame `small`, image `little`, partitions
 * `made` from that image and `off`, and `on`, which runs with 4 CPUs, CPU 3 offline.
 */
export function refusedRoom(): () => Room {
  const state: { room?: Room } = {}
  before(async () => {
    const started = await startRoom()
    state.room = started
    const { routes } = started.api
    await routes.createFrame({ body: { id: 'small', memoryBytes: GiB, processors: 4 } })
    await routes.createImage({ query: { id: 'little' }, body: aVmcore() })
    const ordinary = { memoryBytes: GiB, processors: 2 }
    await routes.createPartition({
      body: { ...ordinary, id: 'made', image: 'little', profile: 'modern' },
    })
    await routes.createPartition({ body: { ...ordinary, id: 'off' } })
    await started.api.boot({
      id: 'on',
      memoryBytes: GiB,
      processors: 4,
      offlineCpus: [3],
      content: { seed: 1, populatedBytes: mebibyte },
    })
  })
  after(() => state.room?.[Symbol.asyncDispose]())
  return () => {
    assert.ok(state.room !== undefined, 'the room is up')
    return state.room
  }
}

/** One suite a table, one test a row. */
export function refusals(
  room: () => Room,
  tables: Readonly<Record<string, readonly RefusedRow[]>>,
): void {
  for (const [name, rows] of Object.entries(tables)) {
    suite(name, () => {
      for (const [what, to, status, detail, body] of rows) {
        test(`${what} is refused with ${status}`, () =>
          assertRefused(room(), { to, body } satisfies RawRequest, { status, detail }))
      }
    })
  }
}

/** A new partition of 1 GiB and 2 CPUs, but for what is wrong with it. */
export function wrongPartition(wrong: object): object {
  return { id: 'bad', memoryBytes: GiB, processors: 2, ...wrong }
}
