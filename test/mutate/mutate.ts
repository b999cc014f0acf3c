/**
 * `npm run mutate`: plants one bug after the other in a copy of the sources and runs the tests that are expected to
 * notice. Prints which test did; a bug that none notices makes the exit code 1.
 */
import { parseArgs } from 'node:util'
import { systemClock } from '@fadump-lab/shared/runtime'
import { copySources, plant, type SourceCopy } from '../support/planted.ts'
import { without } from '../support/tools.ts'
import { runUntilFailure, type TestRun } from './first-failure.ts'
import type { Mutant } from './mutant.ts'
import { mutants } from './table.ts'

/** Mutants that run at the same time, each in a copy of its own. */
const workers = 2

const usage = 'usage: npm run mutate -- [--list] [--only NAME[,NAME…]]'

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { list: { type: 'boolean' }, only: { type: 'string', multiple: true } },
  })
  const chosen = chosenMutants(values.only?.flatMap((names) => names.split(',')))
  if (values.list !== true) return runAll(chosen)
  for (const { name, what, file } of chosen) print(`${name}\n  ${what}\n  ${file}`)
  return 0
}

function chosenMutants(names: readonly string[] | undefined): readonly Mutant[] {
  if (names === undefined) return mutants
  return names.map((name) => {
    const mutant = mutants.find((candidate) => candidate.name === name)
    if (mutant === undefined) throw new Error(`no mutant is called ${name}; see --list`)
    return mutant
  })
}

async function runAll(chosen: readonly Mutant[]): Promise<number> {
  await using stack = new AsyncDisposableStack()
  const copies = await Promise.all(
    Array.from({ length: Math.min(workers, chosen.length) }, () => copySources()),
  )
  for (const copy of copies) stack.use(copy)
  const sound = await runUnchanged(copies, chosen)
  const waiting = chosen.filter(({ tests }) => tests.every((file) => sound.has(file)))
  const results = { caught: 0, failed: chosen.length - waiting.length }
  await Promise.all(
    copies.map(async (copy) => {
      for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
        if (await isCaught(copy, mutant)) results.caught += 1
        else results.failed += 1
      }
    }),
  )
  print(`${results.caught} of ${chosen.length} planted bugs caught, ${results.failed} not`)
  return results.failed === 0 ? 0 : 1
}

/** The test files that pass without a bug: only their failures say anything. */
async function runUnchanged(
  copies: readonly SourceCopy[],
  chosen: readonly Mutant[],
): Promise<ReadonlySet<string>> {
  const sound = new Set<string>()
  const files = [...new Set(chosen.flatMap(({ tests }) => tests))]
  print(`without a bug: ${files.length} test files`)
  await Promise.all(
    copies.map(async (copy) => {
      for (let file = files.shift(); file !== undefined; file = files.shift()) {
        const { failure, isOverdue } = await runUntilFailure(copy.root, [file])
        if (failure === undefined && !isOverdue) sound.add(file)
        else print(`NOT SOUND  ${file}: ${failure?.title ?? 'no end'}: ${failure?.message ?? ''}`)
      }
    }),
  )
  return sound
}

async function isCaught(copy: SourceCopy, mutant: Mutant): Promise<boolean> {
  const absent = mutant.needs === undefined ? false : without(mutant.needs)
  if (absent !== false) return told(mutant, { word: 'NOT RUN', text: absent, isCaught: false })
  const started = systemClock.now()
  await using _bug = await plant(copy.root, mutant)
  const run = await runUntilFailure(copy.root, mutant.tests)
  const seconds = ((systemClock.now() - started) / 1000).toFixed(1)
  const verdict = verdictOf(run)
  return told(mutant, { ...verdict, text: `${verdict.text} (${seconds} s)` })
}

interface Verdict {
  readonly word: string
  readonly text: string
  readonly isCaught: boolean
}

function verdictOf({ failure, isOverdue, passed }: TestRun): Verdict {
  if (failure !== undefined && !failure.isWholeFile) {
    return { word: 'caught', text: `${failure.file}: ${failure.title}`, isCaught: true }
  }
  if (failure !== undefined) {
    const text = `${failure.file} cannot be run: ${failure.message}`
    return { word: 'NO VERDICT', text, isCaught: false }
  }
  if (isOverdue) return { word: 'NO VERDICT', text: 'the tests did not end', isCaught: false }
  return { word: 'SURVIVED', text: `all ${passed} tests pass`, isCaught: false }
}

function told(mutant: Mutant, { word, text, isCaught: caught }: Verdict): boolean {
  print(`${word.padEnd(10)} ${mutant.name.padEnd(nameColumns)} ${text}`)
  return caught
}

const nameColumns = Math.max(...mutants.map(({ name }) => name.length))

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

try {
  process.exitCode = await main()
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${usage}\n`)
  process.exitCode = 2
}
