/** Runs test files of a copy of the sources until one test fails. */
import { join, relative } from 'node:path'
import { run } from 'node:test'
import { systemClock } from '@fadump-lab/shared/runtime'

/** No test of the table takes a tenth of it on an idle machine. */
const testTimeoutMs = 60_000
/** A run that takes longer is ended without a verdict. */
const runTimeoutMs = 240_000

export interface Failure {
  readonly title: string
  /** Relative to the copy. */
  readonly file: string
  /** The file could not be run as a test: whatever is wrong, no test has told. */
  readonly isWholeFile: boolean
  readonly message: string
}

export interface TestRun {
  readonly failure: Failure | undefined
  /** Titles of tests that were skipped. */
  readonly skipped: readonly string[]
  readonly passed: number
  readonly isOverdue: boolean
}

/** `files` relative to `root`, one after the other; the first failing test ends the run. */
export async function runUntilFailure(root: string, files: readonly string[]): Promise<TestRun> {
  const end = new AbortController()
  let isOverdue = false
  using _timer = systemClock.schedule(runTimeoutMs, () => {
    isOverdue = true
    end.abort()
  })
  const skipped: string[] = []
  let passed = 0
  let failure: Failure | undefined
  const stream = run({
    files: files.map((file) => join(root, file)),
    cwd: root,
    concurrency: 1,
    timeout: testTimeoutMs,
    signal: end.signal,
  })
  stream.on('test:pass', ({ name, skip, details }) => {
    if (skip !== undefined) skipped.push(name)
    else if (details.type !== 'suite') passed += 1
  })
  stream.on('test:fail', ({ name, file, details }) => {
    if (details.type === 'suite' || end.signal.aborted) return
    const path = relative(root, file ?? root)
    const isWholeFile = name === file || name === path
    failure = { title: name, file: path, isWholeFile, message: messageOf(details.error) }
    end.abort()
  })
  for await (const _event of stream) {
    // The listeners above take what counts.
  }
  return { failure, skipped, passed, isOverdue }
}

function messageOf(error: Error): string {
  const [line = ''] = (error.cause instanceof Error ? error.cause : error).message.split('\n')
  return line
}
