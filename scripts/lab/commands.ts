/** The commands of `./lab`. Each is loaded when it runs, so that `help` works whatever else is broken. */
import { estimateCommand, rehearseCommand, sweepCommand } from './capture-memory/rows.ts'
import { command, port, redisUrl, text } from './command.ts'
import type { Command } from './command.ts'
import { explainCommand } from './explain/row.ts'

const print = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

export const commands: Readonly<Record<string, Command>> = {
  demo: command({
    summary:
      'Crash three machines in one process and keep their vmcores; needs no Redis, no Docker',
    options: {
      out: { placeholder: 'DIR', summary: 'where the vmcores go (default: demo)', parse: text },
      json: { summary: 'print the results as JSON' },
    },
    run: async ({ out, json }) => {
      const { demo } = await import('./demo.ts')
      return demo({ out: out ?? 'demo', json })
    },
  }),
  up: command({
    summary: 'Start the four services and keep them running until Ctrl-C',
    options: {
      redis: {
        placeholder: 'URL',
        summary: 'keep partition memory in this Redis',
        parse: redisUrl,
      },
      port: {
        placeholder: 'N',
        summary: 'port of the public API (default: a free one)',
        parse: port,
      },
      dumps: {
        placeholder: 'DIR',
        summary: 'where the collector keeps dumps (default: dumps)',
        parse: text,
      },
    },
    run: async ({ redis, port, dumps }) => {
      const { up } = await import('./up.ts')
      return up({ redis, port, dumps: dumps ?? 'dumps' })
    },
  }),
  explain: explainCommand((line) => process.stdout.write(`${line}\n`)),
  estimate: estimateCommand(print),
  rehearse: rehearseCommand(print),
  sweep: sweepCommand(print),
  test: command({
    summary: 'Run everything CI runs, or only the test files whose path contains a PATTERN',
    options: {},
    operands: 'PATTERN...',
    run: async (_values, patterns) => {
      const { test } = await import('./test.ts')
      return test({ patterns })
    },
  }),
}
