/**
 * One write: whole pages are put in place; a page that is written in part is read, patched, hashed and put back only if
 * it still is the page that was read. Otherwise somebody else has changed it, and the write looks again.
 */
import { composePage, pagesRead, type PageReader } from '../change/compose-page.ts'
import { pageOf, planPages, type ComposedPage } from '../change/page-plan.ts'
import { segmentsOf } from '../change/segments.ts'
import { checkWithin, noSuchSpace, outOfRange, staleEpoch, versionConflict } from '../checks.ts'
import { leafPrefix, leavesKey, pagePrefix, referencesKey, spaceKey } from '../keys.ts'
import { pageSize, type Epoch, type MemoryWrite, type SpaceId } from '../memory-store.ts'
import { pageId, type PageId } from '../page-id.ts'
import { bind, type RedisConnection, type ScriptReply } from './connection.ts'
import { fetchPages, locatePages, text, type LocatedPages } from './space-reader.ts'

export interface WriteTask {
  readonly id: SpaceId
  readonly write: MemoryWrite
  readonly epoch: Epoch
}

/** How often a write looks again. Whenever it must, another write has succeeded: no two block each other. */
const attemptsMax = 64

export async function writeMemory(connection: RedisConnection, task: WriteTask): Promise<void> {
  const { composed } = planPages(segmentsOf({ writes: [task.write] }))
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    const before = await readBefore(connection, task, composed.flatMap(pagesRead))
    if (before === undefined) continue
    if (await put(connection, task, composePages(composed, before))) return
  }
  throw versionConflict(
    task.id,
    `page ${pageOf(task.write.address)} was changed by others in each of ${attemptsMax} attempts`,
  )
}

interface Before {
  readonly ids: LocatedPages['ids']
  readonly reader: PageReader
}

/** The pages that are written in part; `undefined` when one was replaced while it was read. */
async function readBefore(
  connection: RedisConnection,
  task: WriteTask,
  pages: readonly number[],
): Promise<Before | undefined> {
  if (pages.length === 0) return { ids: new Map(), reader: () => undefined }
  const located = await locatePages(connection, task.id, pages)
  const { address, bytes } = task.write
  const length = BigInt(bytes.byteLength)
  checkWithin(task.id, { size: located.size, start: address, length })
  if (located.epoch !== task.epoch) {
    throw staleEpoch(task.id, { expected: task.epoch, present: located.epoch })
  }
  const reader = await fetchPages(connection, task.id.frame, located)
  return reader === undefined ? undefined : { ids: located.ids, reader }
}

interface NewPages {
  readonly bodies: ReadonlyMap<PageId, Uint8Array>
  /** Page number, id or nothing, and what the page must be before: as `write-pages.lua` takes them. */
  readonly entries: readonly (string | number)[]
}

function composePages(composed: readonly ComposedPage[], before: Before): NewPages {
  const bodies = new Map<PageId, Uint8Array>()
  const entries: (string | number)[] = []
  for (const page of composed) {
    const body = composePage(page, before.reader)
    const id = body === undefined ? undefined : pageId(body)
    if (body !== undefined && id !== undefined) bodies.set(id, body)
    const isPartial = before.ids.has(page.page)
    const present = isPartial ? (before.ids.get(page.page) ?? 'absent') : 'any'
    entries.push(page.page, id ?? '', present)
  }
  return { bodies, entries }
}

/** Whether the pages are in place; `false`: look again. */
async function put(
  connection: RedisConnection,
  task: WriteTask,
  { bodies, entries }: NewPages,
): Promise<boolean> {
  const { id, write, epoch } = task
  const end = write.address + BigInt(write.bytes.byteLength)
  const script = bind('writePages', {
    keys: {
      space: spaceKey(id),
      leaves: leavesKey(id),
      leaf: leafPrefix(id),
      references: referencesKey(id.frame),
      page: pagePrefix(id.frame),
    },
    args: { epoch, pages: pageOf(end + BigInt(pageSize) - 1n) },
    rest: entries,
  })
  const [reply] = await connection.transaction(id.frame, { bodies, scripts: [script] })
  return outcomeOf(task, reply)
}

function outcomeOf({ id, write, epoch }: WriteTask, reply: ScriptReply | undefined): boolean {
  const [status, value] = reply ?? ['retry']
  switch (status) {
    case 'ok':
      return true
    case 'retry':
      return false
    case 'no-such-space':
      throw noSuchSpace(id)
    case 'out-of-range': {
      const length = BigInt(write.bytes.byteLength)
      throw outOfRange(id, { size: BigInt(text(value)), start: write.address, length })
    }
    case 'stale-epoch':
      throw staleEpoch(id, { expected: epoch, present: Number(value) })
    default:
      throw new Error(`write-pages.lua does not answer ${status}`)
  }
}
