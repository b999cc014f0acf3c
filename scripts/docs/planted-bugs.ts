/** docs/planted-bugs.md: the bugs that `npm run mutate` plants, from its table. */
import { mutants } from '../../test/mutate/table.ts'
import { heading, table } from './markdown.ts'

const introduction = `
\`npm run mutate\` copies the sources, plants one of these bugs at a time and runs the tests that are expected to notice.
It prints which test did; a bug that none notices makes the exit code 1. The product itself has no switch for bugs.

First the tests run without a bug: one that fails then proves nothing, and its bugs count as not caught. A copy that
cannot be loaded does not count as caught either. All of it takes about four minutes on two cores, so CI does not run
it; CI does check that every bug still finds its line. \`npm run mutate -- --only NAME\` plants one, \`--list\` none.
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
  ].join('\n')
}

function fileName(path: string): string {
  return `[${path.split('/').at(-1) ?? path}](../${path})`
}
