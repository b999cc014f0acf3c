/** The commands of `./lab`. Each is loaded when it runs, so that `help` works whatever else is broken. */
import { estimateCommand, rehearseCommand, sweepCommand } from './capture-memory/rows.ts'
import { callerNames, type CallerName } from '@fadump-lab/shared/contracts'
import { command, port, redisUrl, text, UsageError } from './command.ts'
import type { Command } from './command.ts'
import { explainCommand } from './explain/row.ts'
import { soakCommand } from './soak/row.ts'
import { simulateRow } from './simulate/row.ts'

const print = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

function caller(value: string): CallerName {
  const found = callerNames.find((name) => name === value)
  if (found !== undefined) return found
  throw new UsageError(`${JSON.stringify(value)} is no caller: ${callerNames.join(', ')}`)
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
      faults: { summary: 'let administrators break things on purpose (docs/faults.md)' },
    },
    run: async ({ redis, port, dumps, faults }) => {
      const { up } = await import('./up.ts')
      return up({ redis, port, dumps: dumps ?? 'dumps', faults })
    },
  }),
  init: command({
    summary: 'Make the keys and passwords of a machine room; what exists is kept',
    options: {
      out: {
        placeholder: 'DIR',
        summary: 'one directory per holder comes below it (default: secrets)',
        parse: text,
      },
      exchange: {
        placeholder: 'CALLER',
        summary: 'make the next credential of this caller, which everybody then knows as well',
        parse: caller,
      },
    },
    run: async ({ out, exchange }) => {
      const { init } = await import('./init.ts')
      const exchanged = exchange === undefined ? [] : [exchange]
      return init({ out: out ?? 'secrets', print, exchange: exchanged })
    },
  }),
  explain: explainCommand((line) => process.stdout.write(`${line}\n`)),
  estimate: estimateCommand(print),
  rehearse: rehearseCommand(print),
  sweep: sweepCommand(print),
  simulate: simulateRow(print),
  soak: soakCommand(print),
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
