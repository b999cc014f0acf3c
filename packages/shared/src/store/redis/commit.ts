/**
 * A commit in two phases: stage what has to be composed, then one script that checks and applies everything at once.
 *
 * What is staged lies under a lease. A process that dies in between leaves it behind; the next commit to the memory of that
 * space after the lease has ended, or its deletion, gives it back. What was read for staging is checked by the script: when
 * somebody else has changed that memory since, the commit begins again, a bounded number of times.
 */
import { byteLength, invariant } from '../../units/index.ts'
import { planPages, type PagePlan } from '../change/page-plan.ts'
import { segmentsOf } from '../change/segments.ts'
import { checkChangeRanges, noSuchSpace, staleEpoch, versionConflict } from '../checks.ts'
import {
  leafPrefix,
  leavesKey,
  pagePrefix,
  recordPrefix,
  recordsKey,
  referencesKey,
  spaceKey,
  stagedPrefix,
  stagingsKey,
  trashKey,
} from '../keys.ts'
import {
  StoreError,
  toEpoch,
  toVersion,
  type Epoch,
  type MemoryChange,
  type SpaceId,
  type Version,
} from '../memory-store.ts'
import { bind, type BoundScript, type RedisConnection, type ScriptReply } from './connection.ts'
import { text } from './space-reader.ts'
import {
  isGuardedAsAWhole,
  MemoryMovedError,
  Stager,
  type CommitStart,
  type StagedPages,
} from './staging.ts'
import { sweepTrash } from './trash.ts'

export interface CommitTask {
  readonly id: SpaceId
  readonly change: MemoryChange
  readonly leaseMs: number
}

export interface Committed {
  readonly version: Version
  readonly epoch: Epoch
}

/** How often a commit begins again because others change a page that it reads: as often as a write does. */
const attemptsMax = 64
/** The same for unaligned copies, of which each attempt can move hundreds of MiB. */
const wholeAttemptsMax = 8
/** Slices of old trash that one commit clears away before its own work. */
const sweepSlicesMax = 16

export async function commitChange(
  connection: RedisConnection,
  task: CommitTask,
): Promise<Committed> {
  const plan = planPages(segmentsOf(task.change))
  if (task.change.cloneFrom === undefined && isEmpty(plan)) {
    return await commitRecords(connection, task)
  }
  const attempts = isGuardedAsAWhole(plan) ? wholeAttemptsMax : attemptsMax
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const committed = await new CommitAttempt(connection, task, plan).run()
    if (committed !== undefined) return committed
  }
  throw versionConflict(
    task.id,
    `was changed by others in each of ${attempts} attempts to commit what depends on it`,
  )
}

function isEmpty({ cleared, shared, shifted, composed }: PagePlan): boolean {
  return cleared.length + shared.length + shifted.length + composed.length === 0
}

async function commitRecords(connection: RedisConnection, task: CommitTask): Promise<Committed> {
  const script = commitScript(task, { plan: {}, memory: undefined })
  const steps = { bodies: new Map(), scripts: [script] }
  const [reply] = await connection.transaction(task.id.frame, steps)
  const committed = outcomeOf(task, reply)
  invariant(committed !== undefined, 'a commit that leaves memory alone has nothing to begin again')
  return committed
}

class CommitAttempt {
  readonly #connection: RedisConnection
  readonly #task: CommitTask
  readonly #plan: PagePlan
  readonly #base: SpaceId

  constructor(connection: RedisConnection, task: CommitTask, plan: PagePlan) {
    this.#connection = connection
    this.#task = task
    this.#plan = plan
    this.#base = task.change.cloneFrom ?? task.id
  }

  /** `undefined`: others were faster, begin again. */
  async run(): Promise<Committed | undefined> {
    const { id, leaseMs } = this.#task
    const start = await this.#begin()
    const task = { id, base: this.#base, start, plan: this.#plan, leaseMs }
    const stager = new Stager(this.#connection, task)
    try {
      const reply = await this.#apply(start, await stager.run())
      const committed = outcomeOf(this.#task, reply)
      if (committed === undefined) await this.#discard(start, stager.leaves)
      return committed
    } catch (error) {
      // Whether Redis has staged and committed is not known: then the lease decides.
      if (error instanceof StoreError && error.code === 'unavailable') throw error
      await this.#discard(start, stager.leaves)
      if (error instanceof MemoryMovedError) return undefined
      throw error
    }
  }

  async #begin(): Promise<CommitStart> {
    const { id, change } = this.#task
    const reply = await this.#connection.run('beginCommit', {
      keys: {
        space: spaceKey(id),
        base: spaceKey(this.#base),
        stagings: stagingsKey(id),
        trash: trashKey(id.frame),
      },
      args: {},
    })
    if (reply[0] === 'no-such-space') throw noSuchSpace(id)
    if (reply[0] === 'no-such-base') throw noSuchSpace(this.#base)
    const [, size, epoch, version, incarnation, staging, ...rest] = reply
    const [baseSize, baseIncarnation, baseChanges, trash] = rest
    const sizes = {
      space: byteLength(BigInt(text(size))),
      clone: change.cloneFrom === undefined ? undefined : byteLength(BigInt(text(baseSize))),
    }
    checkChangeRanges(id, change, sizes)
    checkExpectations(this.#task, { epoch: text(epoch), version: text(version) })
    if (Number(trash) > 0) await sweepTrash(this.#connection, id.frame, sweepSlicesMax)
    return {
      incarnation: text(incarnation),
      staging: text(staging),
      baseIncarnation: text(baseIncarnation),
      baseChanges: text(baseChanges),
    }
  }

  async #apply(start: CommitStart, staged: StagedPages): Promise<ScriptReply | undefined> {
    const plan = {
      cleared: this.#cleared(staged.zeros),
      shared: this.#shared(),
      seen: [...staged.seen].flatMap(([page, id]) => [page, id ?? 'absent']),
      staging: start.staging,
      stagedLeaves: staged.leaves,
    }
    const baseChanges = isGuardedAsAWhole(this.#plan) ? start.baseChanges : ''
    const memory = { ...start, baseChanges }
    const commit = commitScript(this.#task, { plan, memory })
    const scripts = staged.script === undefined ? [commit] : [staged.script, commit]
    const steps = { bodies: staged.bodies, scripts }
    return (await this.#connection.transaction(this.#task.id.frame, steps)).at(-1)
  }

  /** Runs as `[first, count]`: what is cleared, what is shifted (absent unless staged), what turned out to be zero. */
  #cleared(zeros: readonly number[]): [number, number][] {
    const runs = [...this.#plan.cleared, ...this.#plan.shifted]
    return [
      ...runs.map(({ first, count }): [number, number] => [first, count]),
      ...zeros.map((page): [number, number] => [page, 1]),
    ]
  }

  /** Runs as `[source, target, count]`. */
  #shared(): [number, number, number][] {
    return this.#plan.shared.map(({ source, target, count }) => [source, target, count])
  }

  async #discard(start: CommitStart, leaves: readonly number[]): Promise<void> {
    if (leaves.length === 0) return
    const { id } = this.#task
    await this.#connection.run('discardStaging', {
      keys: { stagings: stagingsKey(id), staged: stagedPrefix(id), trash: trashKey(id.frame) },
      args: { incarnation: start.incarnation, staging: start.staging },
      rest: leaves,
    })
    await sweepTrash(this.#connection, id.frame, sweepSlicesMax)
  }
}

interface CommitPlan {
  readonly plan: object
  /** Absent when the commit leaves memory alone. */
  readonly memory: CommitStart | undefined
}

function commitScript(task: CommitTask, { plan, memory }: CommitPlan): BoundScript {
  const { id, change } = task
  const base = change.cloneFrom ?? id
  const records = Object.entries(change.records ?? {})
  const removed = records.filter(([, value]) => value === null).map(([name]) => name)
  return bind('commit', {
    keys: {
      space: spaceKey(id),
      records: recordsKey(id),
      leaves: leavesKey(id),
      leaf: leafPrefix(id),
      base: spaceKey(base),
      baseLeaves: leavesKey(base),
      baseLeaf: leafPrefix(base),
      staged: stagedPrefix(id),
      stagings: stagingsKey(id),
      references: referencesKey(id.frame),
      page: pagePrefix(id.frame),
    },
    args: {
      ...expectationsOf(change),
      record: recordPrefix(id),
      incarnation: memory?.incarnation ?? '',
      baseIncarnation: memory?.baseIncarnation ?? '',
      baseChanges: memory?.baseChanges ?? '',
      plan: JSON.stringify({ ...plan, removed, nextEpoch: change.nextEpoch === true }),
    },
    rest: records.flatMap(([name, value]) => (value === null ? [] : [name, value])),
  })
}

/** As the script takes them: nothing when all is accepted. */
function expectationsOf({ expect }: MemoryChange): { epoch: string; version: string } {
  return { epoch: String(expect?.epoch ?? ''), version: String(expect?.version ?? '') }
}

function checkExpectations(
  { id, change }: CommitTask,
  present: { readonly epoch: string; readonly version: string },
): void {
  const { epoch, version } = expectationsOf(change)
  if (epoch !== '' && epoch !== present.epoch) throw staleness(id, epoch, present.epoch)
  if (version !== '' && version !== present.version) throw conflict(id, version, present.version)
}

/** `undefined`: begin again. */
function outcomeOf(
  { id, change }: CommitTask,
  reply: ScriptReply | undefined,
): Committed | undefined {
  const [status, first, second] = reply ?? ['retry']
  switch (status) {
    case 'ok':
      return { version: toVersion(Number(first)), epoch: toEpoch(Number(second)) }
    case 'retry':
      return undefined
    case 'no-such-space':
      throw noSuchSpace(id)
    case 'stale-epoch':
      throw staleness(id, expectationsOf(change).epoch, text(first))
    case 'version-conflict':
      throw conflict(id, expectationsOf(change).version, text(first))
    default:
      throw new Error(`commit.lua does not answer ${status}`)
  }
}

function staleness(id: SpaceId, expected: string, present: string): StoreError {
  return staleEpoch(id, { expected: Number(expected), present: Number(present) })
}

function conflict(id: SpaceId, expected: string, present: string): StoreError {
  return versionConflict(id, `has version ${present}, not ${expected} as expected`)
}
