/** `./lab soak` as a row of the command table. */
import { command, text, UsageError, type Command, type Options } from '../command.ts'
import { count, list, numbers, positive, weights } from './words.ts'

const extent = {
  partitions: {
    placeholder: 'N',
    summary: 'size of the fleet (default: 20)',
    parse: count(1, 2000),
  },
  crashes: {
    placeholder: 'N',
    summary: 'crashes of all partitions together',
    parse: count(1, 20_000),
  },
  minutes: { placeholder: 'M', summary: 'no crash begins later', parse: positive },
  seconds: { placeholder: 'S', summary: 'no crash begins later', parse: positive },
  seed: {
    placeholder: 'S',
    summary: 'what everything is drawn from (default: drawn)',
    parse: count(0, 0xffff_ffff),
  },
  storm: { summary: 'all partitions crash within one second, round after round' },
  waves: { summary: 'a quarter of the fleet crashes at a time' },
  'crash-loop': { summary: 'a tenth of the fleet crashes as soon as it is up' },
} as const satisfies Options

const choice = {
  scenarios: {
    placeholder: 'A,B',
    summary: 'only these scenarios (default: all)',
    parse: list,
  },
  causes: {
    placeholder: 'A=1,B=2',
    summary: 'weights of the causes (default: all alike)',
    parse: weights,
  },
  faults: {
    placeholder: 'PLAN',
    summary:
      'default, nightly, none, or faults as NAME[@PLACE][=VALUE][/SERVICE][~TIMES] (default: none)',
    parse: list,
  },
  profiles: { placeholder: 'A,B', summary: 'kernels: v5, modern (default: both)', parse: list },
  memory: {
    placeholder: 'A,B',
    summary: 'MiB of partitions (default: 1024,2048)',
    parse: numbers,
  },
  populated: {
    placeholder: 'N',
    summary: 'MiB that each holds (default: 1)',
    parse: count(1, 1_048_576),
  },
  concurrency: {
    placeholder: 'N',
    summary: 'crashes under way at a time (default: 8)',
    parse: count(1, 256),
  },
  only: {
    placeholder: 'A,B',
    summary: 'only crashes of these numbers, to see one again',
    parse: numbers,
  },
} as const satisfies Options

const place = {
  url: {
    placeholder: 'BASE',
    summary: 'console of a running machine room (default: one of its own)',
    parse: text,
  },
  'token-file': {
    placeholder: 'FILE',
    summary: 'token for that console (default: .lab/token)',
    parse: text,
  },
  compose: {
    summary: 'the containers of a compose project, driven from outside while containers are lost',
  },
  'container-faults': {
    placeholder: 'A,B',
    summary: 'what happens to them, or none (default: all but power-failure)',
    parse: list,
  },
  out: {
    placeholder: 'DIR',
    summary: 'write report.json, junit.xml and report.html there',
    parse: text,
  },
  json: { summary: 'print the report as JSON and nothing else' },
} as const satisfies Options

/** Errors: `UsageError` for more than one name, and for one without `--compose`. */
function projectOf(isCompose: boolean, operands: readonly string[]): { readonly project?: string } {
  const [project] = operands
  if (project === undefined) return {}
  if (isCompose && operands.length === 1) return { project }
  throw new UsageError(
    `${operands.join(' ')} is not understood: a name stands for a compose project, after --compose`,
  )
}

export function soakCommand(print: (line: string) => void): Command {
  return command({
    summary:
      'Crash a fleet of partitions again and again, compare every dump with what memory was, and report',
    options: { ...extent, ...choice, ...place },
    operands: '[PROJECT]',
    run: async (values, operands) => {
      const { soak } = await import('./soak.ts')
      return soak({ ...values, ...projectOf(values.compose, operands) }, print)
    },
  })
}
