/** Runs test files by Node's own runner and tells exactly which tests did not run. */
import { globSync } from 'node:fs'
import { relative } from 'node:path'
import { run } from 'node:test'
import type { EventData } from 'node:test'
import { spec } from 'node:test/reporters'

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
const testTimeoutMs = 10 * 60 * 1000

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
  /** Takes the report as it comes. */
  readonly report: (text: string) => void
}

/** Runs the files and tallies tests; suites count by their tests, or as one when they are skipped whole. */
export async function runTests({ root, files, concurrency, report }: TestRun): Promise<TestTally> {
  const unproved: Unproved[] = []
  const tally = { passed: 0, failed: 0 }
  const stream = run({
    files: files.map((file) => `${root}/${file}`),
    concurrency,
    timeout: testTimeoutMs,
  })
  stream.on('test:pass', (event: EventData.TestPass) => {
    const reason = unprovedReason(event)
    if (reason !== undefined) {
      unproved.push({ title: event.name, file: relative(root, event.file ?? root), reason })
    } else if (event.details.type !== 'suite') tally.passed += 1
  })
  stream.on('test:fail', (event: EventData.TestFail) => {
    if (event.details.type !== 'suite') tally.failed += 1
  })
  for await (const text of stream.compose<NodeJS.ReadableStream>(new spec())) report(String(text))
  return { ...tally, unproved }
}

function unprovedReason({ skip, todo }: EventData.TestPass): string | undefined {
  const mark = skip ?? todo
  if (mark === undefined || mark === false) return undefined
  if (typeof mark === 'string' && mark !== '') return mark
  return skip === undefined ? 'todo' : 'no reason given'
}
