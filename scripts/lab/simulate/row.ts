/** The row of `./lab simulate` in the table of commands. */
import { command, UsageError, type Command } from '../command.ts'

const seedDefault = 1
/** A room is built, booted and brought to rest whatever happens in it: many short runs see more than few long ones. */
const stepsDefault = 4
const seedMax = 0xffff_ffff
const runsMax = 1_000_000
const stepsMax = 1_000

export const simulateRow: (print: (line: string) => void) => Command = (print) =>
  command({
    summary:
      'Run the whole machine room in one thread on a virtual clock, with crashes and faults drawn from a seed',
    options: {
      seed: {
        placeholder: 'S',
        summary: `seed of the first run (default: ${seedDefault})`,
        parse: integer('a seed', 0, seedMax),
      },
      runs: {
        placeholder: 'N',
        summary: 'so many runs, of consecutive seeds, on all processors (default: 1)',
        parse: integer('a number of runs', 1, runsMax),
      },
      steps: {
        placeholder: 'N',
        summary: `crashes, faults and operations of one run (default: ${stepsDefault})`,
        parse: integer('a number of steps', 0, stepsMax),
      },
      only: {
        placeholder: 'LIST',
        summary: 'positions of the steps to take, e.g. 3,7,9, or none; others are left out',
        parse: positions,
      },
      quiet: { summary: 'print the outcome only' },
    },
    run: async ({ seed, runs, steps, only, quiet }) => {
      const { simulateCommand } = await import('./command.ts')
      return simulateCommand({
        seed: seed ?? seedDefault,
        runs: runs ?? 1,
        steps: steps ?? stepsDefault,
        only,
        quiet,
        print,
      })
    },
  })

function integer(what: string, min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN
    if (value >= min && value <= max) return value
    throw new UsageError(`${JSON.stringify(text)} is not ${what}: an integer from ${min} to ${max}`)
  }
}

function positions(text: string): ReadonlySet<number> {
  if (text === 'none') return new Set()
  if (/^\d+(,\d+)*$/.test(text)) return new Set(text.split(',').map(Number))
  throw new UsageError(`${JSON.stringify(text)} is no list of positions: give e.g. 3,7,9, or none`)
}
