/** `./lab test`: everything CI runs, in its order, with the gaps of this machine named. */
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { exitCodes, systemClock } from '@fadump-lab/shared/runtime'
import { capabilities, repositoryRoot } from '../../test/support/tools.ts'
import { checks, runCheck } from './checks.ts'
import { UsageError } from './command.ts'
import { propertySeed } from './property-seed.ts'
import { runTests, testFiles, type TestTally } from './run-tests.ts'
import { verdict } from './verdict.ts'

export interface TestOptions {
  /** Parts of paths; with any, only the test files that contain one run, and no checks. */
  readonly patterns: readonly string[]
}

/** `./lab test` found faults: those it printed. */
const exitFailed = 1

/** Answers with the exit code. Closes with `N passed, N failed` alone on a line, checks included. */
export async function test({ patterns }: TestOptions): Promise<number> {
  const files = chosenFiles(patterns)
  printCapabilities()
  const checksFailed = patterns.length === 0 ? await runChecks() : []
  const seed = propertySeed(process.env['PROPERTY_SEED'], repositoryRoot)
  process.env['PROPERTY_SEED'] = String(seed)
  print(`PROPERTY_SEED=${seed}`)
  const tally = await runAll(files)
  const { failed, lines } = verdict({
    tally,
    checksPassed: patterns.length === 0 ? checks.length - checksFailed.length : 0,
    checksFailed,
    gapsFail: process.env['CI'] === 'true',
  })
  for (const line of lines) print(line)
  return failed === 0 ? exitCodes.ok.code : exitFailed
}

/** Tests with containers take a whole machine: they come last, one file at a time. */
const takesTheMachine = /\/containers\//

async function runAll(files: readonly string[]): Promise<TestTally> {
  const rounds = [
    {
      files: files.filter((file) => !takesTheMachine.test(file)),
      concurrency: availableParallelism(),
    },
    { files: files.filter((file) => takesTheMachine.test(file)), concurrency: 1 },
  ].filter((round) => round.files.length > 0)
  let tally: TestTally = { passed: 0, failed: 0, unproved: [] }
  for (const { files, concurrency } of rounds) {
    print(`tests: ${files.length} files, ${concurrency} at a time`)
    const report = (text: string): void => void process.stdout.write(text)
    const imports = [join(repositoryRoot, 'test/support/property-seed.ts')]
    const round = await runTests({ root: repositoryRoot, files, concurrency, imports, report })
    tally = {
      passed: tally.passed + round.passed,
      failed: tally.failed + round.failed,
      unproved: [...tally.unproved, ...round.unproved],
    }
  }
  return tally
}

function chosenFiles(patterns: readonly string[]): readonly string[] {
  const all = testFiles(repositoryRoot)
  if (patterns.length === 0) return all
  const chosen = all.filter((file) =>
    patterns.some((part) => file.includes(part.replace(/^\.\//, ''))),
  )
  if (chosen.length > 0) return chosen
  throw new UsageError(`no test file has ${patterns.join(' or ')} in its path, such as ${all[0]}`)
}

function printCapabilities(): void {
  print('machine')
  for (const [name, { find, purpose, remedy }] of Object.entries(capabilities)) {
    const state = find() === undefined ? `absent: ${remedy}` : 'here'
    print(`  ${name.padEnd(14)} ${state}  (${purpose})`)
  }
}

/** The names of the checks that failed. */
async function runChecks(): Promise<readonly string[]> {
  const refused: string[] = []
  print('checks')
  for (const check of checks) {
    const started = systemClock.now()
    const fault = await runCheck(check, repositoryRoot)
    const seconds = ((systemClock.now() - started) / 1000).toFixed(1)
    print(`  ${check.name.padEnd(14)} ${fault === undefined ? 'ok' : 'FAILED'}  (${seconds} s)`)
    if (fault === undefined) continue
    refused.push(check.name)
    print(`${fault}\n  mend ${check.name}: ${check.remedy}`)
  }
  return refused
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
