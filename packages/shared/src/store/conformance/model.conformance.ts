/**
 * Conformance: any sequence of operations leaves what a plain array of bytes would hold.
 *
 * Two small spaces of one frame, so that copies overlap, clones meet commits, and equal pages are common. The model knows
 * nothing of pages, sharing or plans.
 */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import fc from 'fast-check'
import {
  byteLength,
  equalBytes,
  invariant,
  isZero,
  memoryRange,
  realAddress,
  toHex,
} from '../../units/index.ts'
import { pageSize, toEpoch, toVersion, type MemoryChange, type SpaceId } from '../memory-store.ts'
import { at, newFrame, refuses, sizeOf, type OpenSubject, type Subject } from './subject.ts'

const pagesOfSpace = 8
const bytesOfSpace = pagesOfSpace * pageSize

/** Mostly on or beside a page boundary, where the mistakes are. */
const place = fc
  .tuple(
    fc.integer({ min: 0, max: pagesOfSpace }),
    fc.oneof(fc.constantFrom(0, 0, 0, 1, -1, 4_096), fc.integer({ min: 0, max: pageSize })),
  )
  .map(([page, offset]) => Math.min(Math.max(page * pageSize + offset, 0), bytesOfSpace))

const span = fc
  .tuple(place, place)
  .map(([a, b]) => ({ start: Math.min(a, b), end: Math.max(a, b) }))

const copy = fc.tuple(span, place, fc.boolean()).map(([{ start, end }, to, isCongruent]) => {
  const length = Math.min(end - start, 5 * pageSize)
  const wanted = isCongruent ? to - (to % pageSize) + (start % pageSize) : to
  return { source: start, target: Math.min(wanted, bytesOfSpace - length), length }
})

/** Few values, zero among them, so that pages become equal and absent; a ramp, so that a shifted byte shows. */
const content = fc.tuple(fc.integer({ min: 0, max: 3 }), fc.boolean())
const writing = fc
  .tuple(span, content)
  .map(([{ start, end }, [value, isRamp]]) => ({ start, end, value, isRamp }))

const write = fc.record({
  kind: fc.constant('write' as const),
  space: fc.nat(1),
  writing,
  lag: fc.nat(1),
})
const commit = fc.record({
  kind: fc.constant('commit' as const),
  space: fc.nat(1),
  isClone: fc.boolean(),
  clears: fc.array(span, { maxLength: 2 }),
  copies: fc.array(copy, { maxLength: 3 }),
  writes: fc.array(writing, { maxLength: 2 }),
  note: fc.option(fc.string({ maxLength: 4 }), { nil: null }),
  nextEpoch: fc.boolean(),
  lag: fc.constantFrom(0, 0, 0, 1),
})
const step = fc.oneof(write, commit, commit)

type Generated<A> = A extends fc.Arbitrary<infer Value> ? Value : never
type Writing = Generated<typeof writing>
type Commit = Generated<typeof commit>
type Step = Generated<typeof step>

class ModelSpace {
  memory = new Uint8Array(bytesOfSpace)
  note: string | undefined = undefined
  version = 0
  epoch = 0

  write(writing: Writing): void {
    this.memory.set(bytesOf(writing), writing.start)
  }

  commit(change: Commit, cloned: ModelSpace): void {
    if (change.isClone) this.memory = cloned.memory.slice()
    const before = this.memory.slice()
    for (const { start, end } of change.clears) this.memory.fill(0, start, end)
    for (const { source, target, length } of change.copies) {
      this.memory.set(before.subarray(source, source + length), target)
    }
    for (const entry of change.writes) this.write(entry)
    this.note = change.note ?? undefined
    this.version += 1
    if (change.nextEpoch) this.epoch += 1
  }

  /** The pages that are not all zero, as text to compare. */
  get pages(): string[] {
    const pages = Array.from({ length: pagesOfSpace }, (_, page) =>
      this.memory.subarray(page * pageSize, (page + 1) * pageSize),
    )
    return pages.filter((page) => !isZero(page)).map((page) => toHex(page))
  }
}

const ramp = Uint8Array.from({ length: bytesOfSpace + 256 }, (_, n) => n % 251)

function bytesOf({ start, end, value, isRamp }: Writing): Uint8Array {
  const length = end - start
  return isRamp
    ? ramp.subarray(value * 50, value * 50 + length)
    : new Uint8Array(length).fill(value)
}

/** Runs `runs` random sequences. */
export function modelConformance(
  name: string,
  open: OpenSubject,
  options: { readonly runs: number; readonly skip?: string | false },
): void {
  suite(`${name} against a model`, { skip: options.skip ?? false }, () => {
    let subject: Subject | undefined
    before(async () => {
      subject = await open()
    })
    after(() => subject?.[Symbol.asyncDispose]())

    test('any sequence of writes, commits and clones leaves what an array of bytes would hold', async () => {
      invariant(subject !== undefined, 'the subject is open while tests run')
      const opened = subject
      const empty = await opened.footprint()
      const steps = fc.array(step, { minLength: 1, maxLength: 6 })
      await fc.assert(
        fc.asyncProperty(steps, async (sequence) => {
          await runSequence(opened, sequence)
          assert.equal(await opened.footprint(), empty, 'everything is given back')
        }),
        { numRuns: options.runs },
      )
    })
  })
}

async function runSequence(subject: Subject, sequence: readonly Step[]): Promise<void> {
  const run = new Run(subject)
  await run.create()
  try {
    for (const next of sequence) {
      if (next.kind === 'write') await run.write(next)
      else await run.commit(next)
    }
    await run.compare()
  } finally {
    await run.delete()
  }
}

function firstDifference(a: Uint8Array, b: Uint8Array): number {
  return equalBytes(a, b) ? -1 : a.findIndex((byte, offset) => byte !== b[offset])
}

class Run {
  readonly #subject: Subject
  readonly #frame = newFrame()
  readonly #models = [new ModelSpace(), new ModelSpace()] as const

  constructor(subject: Subject) {
    this.#subject = subject
  }

  async create(): Promise<void> {
    for (const space of [0, 1]) {
      await this.#subject.store.createSpace(this.#id(space), sizeOf(pagesOfSpace))
    }
  }

  async delete(): Promise<void> {
    for (const space of [0, 1]) await this.#subject.store.deleteSpace(this.#id(space))
  }

  async write({ space, writing: entry, lag }: Generated<typeof write>): Promise<void> {
    const model = this.#model(space)
    const isStale = lag === 1 && model.epoch > 0
    const epoch = toEpoch(model.epoch - (isStale ? 1 : 0))
    const change = { address: realAddress(entry.start), bytes: bytesOf(entry) }
    const written = this.#subject.store.write(this.#id(space), change, epoch)
    if (isStale) return await refuses('stale-epoch', written)
    await written
    model.write(entry)
  }

  async commit(step: Commit): Promise<void> {
    const model = this.#model(step.space)
    const isLate = step.lag === 1 && model.version > 0
    const version = toVersion(model.version - (isLate ? 1 : 0))
    const change = { ...this.#changeOf(step), expect: { version } }
    const committed = this.#subject.second.commit(this.#id(step.space), change)
    if (isLate) return await refuses('version-conflict', committed)
    const stamp = await committed
    model.commit(step, this.#model(1 - step.space))
    assert.deepEqual(stamp, { version: model.version, epoch: model.epoch })
  }

  async compare(): Promise<void> {
    const { store } = this.#subject
    await this.#subject.audit()
    for (const space of [0, 1]) {
      const model = this.#model(space)
      const memory = await store.read(this.#id(space), at(0), bytesOfSpace)
      assert.equal(firstDifference(memory, model.memory), -1, `space ${space} differs there first`)
      assert.equal((await store.describe(this.#id(space)))?.populatedPages, model.pages.length)
      const { value, version, epoch } = await store.readRecord(this.#id(space), 'note')
      const { note } = model
      assert.deepEqual(
        { note: value, version, epoch },
        { note, version: model.version, epoch: model.epoch },
      )
    }
    const held = this.#models.flatMap((model) => model.pages)
    assert.deepEqual(await store.usage(this.#frame), {
      spaces: 2,
      pages: new Set(held).size,
      references: held.length,
    })
  }

  #changeOf(step: Commit): MemoryChange {
    return {
      records: { note: step.note },
      clears: step.clears.map(({ start, end }) => memoryRange(BigInt(start), BigInt(end))),
      copies: step.copies.map(({ source, target, length }) => ({
        source: realAddress(source),
        target: realAddress(target),
        length: byteLength(length),
      })),
      writes: step.writes.map((entry) => ({
        address: realAddress(entry.start),
        bytes: bytesOf(entry),
      })),
      nextEpoch: step.nextEpoch,
      ...(step.isClone ? { cloneFrom: this.#id(1 - step.space) } : {}),
    }
  }

  #id(space: number): SpaceId {
    return { frame: this.#frame, space: `space-${space}` }
  }

  #model(space: number): ModelSpace {
    const model = this.#models[space]
    invariant(model !== undefined, `there is no space ${space}`)
    return model
  }
}
