/**
 * Reading a space: page ids first, then bodies.
 *
 * The ids of one call are looked up in one step and a body never changes under its id, so what is read is the memory of
 * one moment. A page that is replaced between the two steps can be gone; then the reader looks again.
 */
import { invariant } from '../../units/index.ts'
import type { PageReader } from '../change/compose-page.ts'
import { noSuchSpace } from '../checks.ts'
import { leafPrefix, leavesKey, pagePrefix, spaceKey } from '../keys.ts'
import { leafOf, leafPages } from '../leaf.ts'
import type { SpaceId } from '../memory-store.ts'
import type { PageId } from '../page-id.ts'
import type { RedisConnection, ScriptReply, ScriptValue } from './connection.ts'

/** The ids of some pages at one moment. */
export interface LocatedPages {
  readonly size: bigint
  readonly epoch: number
  readonly incarnation: string
  readonly changes: string
  /** `undefined` for an absent page. */
  readonly ids: ReadonlyMap<number, PageId | undefined>
}

export async function locatePages(
  connection: RedisConnection,
  id: SpaceId,
  pages: readonly number[],
): Promise<LocatedPages> {
  const reply = await connection.run('locatePages', {
    keys: { space: spaceKey(id), leaf: leafPrefix(id) },
    args: {},
    rest: pages,
  })
  const [size, epoch, incarnation, changes, ...ids] = valuesOf(id, reply)
  return {
    size: BigInt(text(size)),
    epoch: Number(text(epoch)),
    incarnation: text(incarnation),
    changes: text(changes),
    ids: new Map(pages.map((page, index) => [page, pageIdOf(ids[index])])),
  }
}

/** The bodies of located pages; `undefined` when one of them is gone by now. */
export async function fetchPages(
  connection: RedisConnection,
  frame: string,
  located: LocatedPages,
): Promise<PageReader | undefined> {
  const ids = new Set<PageId>()
  for (const id of located.ids.values()) if (id !== undefined) ids.add(id)
  const bodies = await connection.bodies(frame, [...ids])
  if (bodies.includes(null)) return undefined
  const byId = new Map([...ids].map((id, index) => [id, bodies[index] ?? undefined]))
  return (page) => {
    const id = located.ids.get(page)
    return id === undefined ? undefined : byId.get(id)
  }
}

/** Whole pages in one step, whatever others do meanwhile. */
export async function readPagesAtOnce(
  connection: RedisConnection,
  id: SpaceId,
  pages: readonly number[],
): Promise<PageReader> {
  const [status, ...bodies] = await connection.runForBodies('readPages', {
    keys: { space: spaceKey(id), leaf: leafPrefix(id), page: pagePrefix(id.frame) },
    args: {},
    rest: pages,
  })
  invariant(status !== undefined, 'a script answers a status word')
  if (bodies.length !== pages.length) throw noSuchSpace(id)
  const byPage = new Map(pages.map((page, index) => [page, bodies[index] ?? undefined]))
  return (page) => byPage.get(page)
}

/** The present pages of some leaves. */
export interface ListedPages {
  readonly size: bigint
  /** Ascending; only those within the bounds that were asked for. */
  readonly pages: Iterable<number>
  /** The first page that has not been looked at; absent at the end. */
  readonly next: number | undefined
}

/** Lists the present pages `first ≤ number < end` of the first `leavesMax` leaves that are not empty. */
export async function listPages(
  connection: RedisConnection,
  id: SpaceId,
  bounds: { readonly first: number; readonly end: number; readonly leavesMax: number },
): Promise<ListedPages> {
  const reply = await connection.run('listPopulated', {
    keys: { space: spaceKey(id), leaves: leavesKey(id), leaf: leafPrefix(id) },
    args: {
      first: leafOf(bounds.first),
      last: leafOf(bounds.end - 1),
      limit: bounds.leavesMax,
    },
  })
  const [size, next, ...leaves] = valuesOf(id, reply)
  return {
    size: BigInt(text(size)),
    pages: pagesOf(leaves, bounds),
    next: typeof next === 'string' ? Number(next) * leafPages : undefined,
  }
}

function* pagesOf(
  leaves: readonly ScriptValue[],
  bounds: { readonly first: number; readonly end: number },
): Generator<number> {
  for (let index = 0; index < leaves.length; index += 2) {
    const start = Number(text(leaves[index])) * leafPages
    for (const slot of slotsOf(leaves[index + 1])) {
      const page = start + slot
      if (page >= bounds.first && page < bounds.end) yield page
    }
  }
}

/** A full leaf is told by one word. */
function slotsOf(slots: ScriptValue | undefined): Iterable<number> {
  if (slots === 'full') return Array.from({ length: leafPages }, (_, slot) => slot)
  invariant(Array.isArray(slots), 'the slots of a leaf come as a list')
  return Uint16Array.from(slots, Number).sort()
}

function valuesOf(id: SpaceId, [status, ...values]: ScriptReply): readonly ScriptValue[] {
  if (status === 'no-such-space') throw noSuchSpace(id)
  invariant(status === 'ok', `a reading script does not answer ${status}`)
  return values
}

/** A value that is always text. */
export function text(value: ScriptValue | undefined): string {
  invariant(typeof value === 'string' || typeof value === 'number', 'the value must be text')
  return String(value)
}

function pageIdOf(value: ScriptValue | undefined): PageId | undefined {
  return typeof value === 'string' ? (value as PageId) : undefined
}
