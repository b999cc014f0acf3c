/** Runs test files by Node's own runner and tells exactly which tests did not run. */
import { globSync } from 'node:fs'
import { relative } from 'node:path'
import { run } from 'node:test'
import type { EventData } from 'node:test'
import { spec } from 'node:test/reporters'
import { systemClock } from '@fadump-lab/shared/runtime'

/** A test that was not run, or ran without counting. */
export interface Unproved {
  readonly title: string
  /** Path from the root of the repository. */
  readonly file: string
  /** Its own words, e.g. which tool the machine lacks. */
  readonly reason: string
}

export interface TestTally {
  readonly passed: number
  readonly failed: number
  readonly unproved: readonly Unproved[]
}

/** No single test of the house may take longer. */
const testTimeoutMs = 5 * 60 * 1000

/** A run in which nothing happens for so long has a file whose process does not end; it is stopped. */
const quietMsDefault = testTimeoutMs + 60 * 1000

/** Every test file below `root`, sorted, as paths relative to it. */
export function testFiles(root: string): readonly string[] {
  const places = ['packages/*/src/**', 'services/*/{src,test}/**', 'scripts/**', 'test/**']
  return globSync(
    places.map((place) => `${place}/*.test.ts`),
    { cwd: root },
  ).toSorted()
}

export interface TestRun {
  readonly root: string
  /** Paths relative to `root`. */
  readonly files: readonly string[]
  /** Files that run at the same time, each in a process of its own. */
  readonly concurrency: number
  /** Modules that every file's process loads first, as absolute paths. */
  readonly imports?: readonly string[]
  /** Takes the report as it comes. */
  readonly report: (text: string) => void
  readonly quietMs?: number
}

/** Runs the files and tallies tests; suites count by their tests, or as one when they are skipped whole. */
export async function runTests(of: TestRun): Promise<TestTally> {
  const unproved: Unproved[] = []
  const tally = { passed: 0, failed: 0 }
  using watch = quietWatch(of.quietMs ?? quietMsDefault)
  const stream = run({
    files: of.files.map((file) => `${of.root}/${file}`),
    concurrency: of.concurrency,
    execArgv: (of.imports ?? []).flatMap((module) => ['--import', module]),
    timeout: testTimeoutMs,
    signal: watch.signal,
  })
  stream.on('data', () => watch.heard())
  stream.on('test:pass', (event: EventData.TestPass) => {
    const reason = unprovedReason(event)
    if (reason !== undefined) {
      unproved.push({ title: event.name, file: relative(of.root, event.file ?? of.root), reason })
    } else if (event.details.type !== 'suite') tally.passed += 1
  })
  stream.on('test:fail', (event: EventData.TestFail) => {
    if (event.details.type !== 'suite') tally.failed += 1
  })
  for await (const text of stream.compose<NodeJS.ReadableStream>(new spec())) {
    of.report(String(text))
  }
  return { ...tally, unproved }
}

/** Aborts `signal` when nothing was heard for `quietMs`. */
function quietWatch(quietMs: number) {
  const controller = new AbortController()
  const quiet = () => controller.abort(new Error(`nothing happened for ${quietMs} ms`))
  const timer = { current: systemClock.schedule(quietMs, quiet) }
  return {
    signal: controller.signal,
    heard: () => {
      timer.current[Symbol.dispose]()
      timer.current = systemClock.schedule(quietMs, quiet)
    },
    [Symbol.dispose]: () => timer.current[Symbol.dispose](),
  }
}

function unprovedReason({ skip, todo }: EventData.TestPass): string | undefined {
  const mark = skip ?? todo
  if (mark === undefined || mark === false) return undefined
  if (typeof mark === 'string' && mark !== '') return mark
  return skip === undefined ? 'todo' : 'no reason given'
}
