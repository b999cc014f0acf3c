/** docs/planted-bugs.md: the bugs that `npm run mutate` plants, from its table. */
import { mutants } from '../../test/mutate/table.ts'
import { foundSeeds } from '../../test/simulate/found-seeds.ts'
import { simulatedBugs } from '../../test/simulate/planted-bugs.ts'
import { heading, table } from './markdown.ts'

const introduction = `
\`npm run mutate\` copies the sources, plants one of these bugs at a time and runs the tests that are expected to notice.
It prints which test did; a bug that none notices makes the exit code 1. The product itself has no switch for bugs.

First the tests run without a bug: one that fails then proves nothing, and its bugs count as not caught. A copy that
cannot be loaded does not count as caught either. All of it takes about four minutes on two cores, so CI does not run
it; CI does check that every bug still finds its line. \`npm run mutate -- --only NAME\` plants one, \`--list\` none.
`

const simulation = `
## Found by the simulator

\`node test/simulate/find-planted.ts\` plants these and simulates seeds from 1 on until one shows the bug, at most 10,000. The
seed is the one it has printed: \`./lab simulate --seed SEED\` of a copy with the bug ends with what does not hold. Bugs without a
seed have not been found, or not been searched for yet.
`

export function plantedBugs(): string {
  const rows = mutants.map(({ name, what, file, tests }) => [
    `\`${name}\``,
    what,
    fileName(file),
    tests.map(fileName).join(', '),
  ])
  return [
    heading('Planted bugs', 'test/mutate/table.ts'),
    introduction.trimStart(),
    `${table(['name', 'bug', 'planted in', 'tests'], rows)}\n`,
    simulation.trimStart(),
    `${table(['name', 'bug', 'planted in', 'seed'], simulatedRows())}\n`,
  ].join('\n')
}

function simulatedRows(): readonly (readonly string[])[] {
  return simulatedBugs.map(({ name, what, file }) => [
    `\`${name}\``,
    what,
    fileName(file),
    String(foundSeeds[name] ?? ''),
  ])
}

function fileName(path: string): string {
  return `[${path.split('/').at(-1) ?? path}](../${path})`
}
