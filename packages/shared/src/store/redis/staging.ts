/**
 * Preparing the pages that a commit composes.
 *
 * Pages are read, put together, hashed and stored in windows, while the space goes on as it is: what is staged is seen by
 * nobody. The last window is not sent but kept, so that it travels with the commit itself.
 */
import { composePage, pagesRead, type PageReader } from '../change/compose-page.ts'
import {
  composeShifted,
  shiftedSources,
  type ComposedPage,
  type PagePlan,
} from '../change/page-plan.ts'
import { pagePrefix, referencesKey, spaceKey, stagedPrefix, stagingsKey } from '../keys.ts'
import { leafOf } from '../leaf.ts'
import { pageSize, transferBytesMax, type SpaceId } from '../memory-store.ts'
import { pageId, type PageId } from '../page-id.ts'
import { bind, type BoundScript, type RedisConnection } from './connection.ts'
import { fetchPages, listPages, locatePages, type LocatedPages } from './space-reader.ts'

/** What `begin-commit.lua` told about the space, and about the one that copies read. */
export interface CommitStart {
  readonly incarnation: string
  readonly staging: string
  readonly baseIncarnation: string
  readonly baseChanges: string
}

export interface StagingTask {
  readonly id: SpaceId
  readonly base: SpaceId
  readonly start: CommitStart
  readonly plan: PagePlan
  readonly leaseMs: number
}

/** Pages with content, and pages that turned out to be all zero. */
export interface StagedPages {
  /** The last window: to be sent together with the commit. */
  readonly bodies: ReadonlyMap<PageId, Uint8Array>
  readonly script: BoundScript | undefined
  readonly leaves: readonly number[]
  readonly zeros: readonly number[]
  /** What the composed pages were made from; shifted runs are left out, they read too many pages to name. */
  readonly seen: ReadonlyMap<number, PageId | undefined>
}

/** Pages that are composed, or read for it, at the same time: the window of one transfer. */
const windowPages = transferBytesMax / pageSize
const readPagesMax = 2 * windowPages
/** Leaves that one call looks at for present pages. */
const leavesPerCall = 16

/** The space that copies read was changed meanwhile: begin again. */
export class MemoryMovedError extends Error {
  override readonly name = 'MemoryMovedError'
}

export class Stager {
  readonly #connection: RedisConnection
  readonly #task: StagingTask
  readonly #leaves = new Set<number>()
  readonly #zeros: number[] = []
  readonly #seen = new Map<number, PageId | undefined>()

  constructor(connection: RedisConnection, task: StagingTask) {
    this.#connection = connection
    this.#task = task
  }

  /** The leaves staged so far, to be discarded when the commit is refused. */
  get leaves(): readonly number[] {
    return [...this.#leaves]
  }

  /** Stages all composed pages; while one window travels, the next is prepared. */
  async run(): Promise<StagedPages> {
    let kept: Window | undefined
    let sent: Promise<void> = Promise.resolve()
    try {
      for await (const pages of windowsOf(this.#composedPages())) {
        const window = await this.#prepare(pages)
        await sent
        if (kept !== undefined) sent = this.#send(kept)
        kept = window
      }
      await sent
    } finally {
      await Promise.allSettled([sent])
    }
    return {
      script: kept === undefined ? undefined : this.#bind(kept),
      bodies: kept?.bodies ?? new Map(),
      leaves: this.leaves,
      zeros: this.#zeros,
      seen: this.#seen,
    }
  }

  async *#composedPages(): AsyncGenerator<ComposedPage> {
    yield* this.#task.plan.composed
    for (const run of this.#task.plan.shifted) {
      yield* composeShifted(run, await this.#presentPages(shiftedSources(run)))
    }
  }

  async #presentPages(run: { first: number; count: number }): Promise<number[]> {
    const end = run.first + run.count
    const present: number[] = []
    let next: number | undefined = run.first
    while (next !== undefined && next < end) {
      const bounds = { first: next, end, leavesMax: leavesPerCall }
      const listed = await listPages(this.#connection, this.#task.base, bounds)
      for (const page of listed.pages) present.push(page)
      next = listed.next
    }
    return present
  }

  async #prepare(pages: readonly ComposedPage[]): Promise<Window> {
    const before = await this.#read([...new Set(pages.flatMap(pagesRead))])
    const bodies = new Map<PageId, Uint8Array>()
    const entries: (string | number)[] = []
    for (const composed of pages) {
      const body = composePage(composed, before)
      if (body === undefined) {
        this.#zeros.push(composed.page)
        continue
      }
      const id = pageId(body)
      bodies.set(id, body)
      entries.push(composed.page, id)
    }
    return { bodies, entries }
  }

  async #read(pages: readonly number[]): Promise<PageReader> {
    if (pages.length === 0) return () => undefined
    const { base } = this.#task
    const located = await locatePages(this.#connection, base, pages)
    this.#see(located)
    const reader = await fetchPages(this.#connection, base.frame, located)
    if (reader === undefined) throw new MemoryMovedError()
    return reader
  }

  /** Notes what is read, and ends the attempt when it is known already that the commit would be refused. */
  #see({ incarnation, changes, ids }: LocatedPages): void {
    const { start, plan } = this.#task
    if (incarnation !== start.baseIncarnation) throw new MemoryMovedError()
    if (isGuardedAsAWhole(plan)) {
      if (changes !== start.baseChanges) throw new MemoryMovedError()
      return
    }
    for (const [page, id] of ids) {
      if (this.#seen.has(page) && this.#seen.get(page) !== id) throw new MemoryMovedError()
      this.#seen.set(page, id)
    }
  }

  async #send(window: Window): Promise<void> {
    const script = this.#bind(window)
    if (script === undefined) return
    const steps = { bodies: window.bodies, scripts: [script] }
    const [reply] = await this.#connection.transaction(this.#task.id.frame, steps)
    if (reply?.[0] !== 'ok') throw new MemoryMovedError()
  }

  #bind({ entries }: Window): BoundScript | undefined {
    if (entries.length === 0) return undefined
    const { id, start, leaseMs } = this.#task
    const known = JSON.stringify(this.leaves)
    for (let index = 0; index < entries.length; index += 2) {
      this.#leaves.add(leafOf(Number(entries[index])))
    }
    return bind('stagePages', {
      keys: {
        space: spaceKey(id),
        staged: stagedPrefix(id),
        stagings: stagingsKey(id),
        references: referencesKey(id.frame),
        page: pagePrefix(id.frame),
      },
      args: { incarnation: start.incarnation, staging: start.staging, leaseMs, known },
      rest: entries,
    })
  }
}

interface Window {
  readonly bodies: ReadonlyMap<PageId, Uint8Array>
  /** Page number and id in turn. */
  readonly entries: readonly (string | number)[]
}

/** Groups pages so that neither what is composed nor what is read for it exceeds a window. */
async function* windowsOf(pages: AsyncIterable<ComposedPage>): AsyncGenerator<ComposedPage[]> {
  let window: ComposedPage[] = []
  let read = 0
  for await (const page of pages) {
    const reads = pagesRead(page).length
    if (window.length === windowPages || (window.length > 0 && read + reads > readPagesMax)) {
      yield window
      window = []
      read = 0
    }
    window.push(page)
    read += reads
  }
  if (window.length > 0) yield window
}

/** Shifted runs read so many pages that any change of the space counts; otherwise only a change of what was read does. */
export function isGuardedAsAWhole(plan: PagePlan): boolean {
  return plan.shifted.length > 0
}
