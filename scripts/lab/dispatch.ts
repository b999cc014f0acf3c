/** From the words of a command line to a command: parsing, refusals that name what would be right, help. */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { exitCodeOf, exitCodes } from '@fadump-lab/shared/runtime'
import { UsageError } from './command.ts'
import type { Command, Options } from './command.ts'

export interface Terminal {
  readonly commands: Readonly<Record<string, Command>>
  readonly out: (line: string) => void
  readonly error: (line: string) => void
}

/** Runs the command that `args` names and answers with the exit code; it never throws. */
export async function dispatch(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    return await choose(args, terminal)
  } catch (error) {
    for (const line of explain(error)) terminal.error(`lab: ${line}`)
    return exitCodeOf(error)
  }
}

function choose(args: readonly string[], terminal: Terminal): Promise<number> | number {
  const [name = 'help', ...rest] = args
  if (['help', '--help', '-h'].includes(name))
    return print(terminal, help(terminal.commands, rest[0]))
  if (['version', '--version'].includes(name)) return print(terminal, version())
  const command = named(terminal.commands, name)
  if (rest.some((word) => word === '--help' || word === '-h')) {
    return print(terminal, help(terminal.commands, name))
  }
  const { values, operands } = parse(name, command, rest)
  return command.run(values, operands)
}

function named(commands: Readonly<Record<string, Command>>, name: string): Command {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (command !== undefined) return command
  const names = [...Object.keys(commands), 'help', 'version'].join(', ')
  throw new UsageError(`no command ${JSON.stringify(name)}; the commands are ${names}`)
}

function parse(name: string, command: Command, words: readonly string[]) {
  const parsed = parseWords(name, command, words)
  const values = Object.entries(command.options).map(([key, option]) => {
    const given = parsed.values[key]
    if (!('parse' in option)) return [key, given === true]
    return [key, typeof given === 'string' ? option.parse(given) : undefined]
  })
  return {
    values: Object.fromEntries(values) as Record<string, unknown>,
    operands: parsed.positionals,
  }
}

function parseWords(name: string, command: Command, words: readonly string[]) {
  const options = Object.entries(command.options).map(
    ([key, option]) => [key, { type: 'parse' in option ? 'string' : 'boolean' }] as const,
  )
  try {
    return parseArgs({
      args: [...words],
      options: Object.fromEntries(options),
      allowPositionals: command.operands !== undefined,
    })
  } catch (error) {
    // Node explains the first fault in the first sentence; the rest speaks of its API.
    const [fault] = String((error as Error).message).split(/\.\s|\n/)
    throw new UsageError(`${fault}; usage: ./lab ${usage(name, command)}`)
  }
}

function usage(name: string, { options, operands }: Command): string {
  const words = optionWords(options).map(([word]) => `[${word}]`)
  return [name, ...words, ...(operands === undefined ? [] : [`[${operands}]`])].join(' ')
}

function optionWords(options: Options): readonly (readonly [string, string])[] {
  return Object.entries(options).map(([key, option]) => [
    'placeholder' in option ? `--${key} ${option.placeholder}` : `--${key}`,
    option.summary,
  ])
}

/** Help for one command, or for all when `name` is undefined. */
function help(commands: Readonly<Record<string, Command>>, name: string | undefined): string {
  const chosen =
    name === undefined ? Object.entries(commands) : [[name, named(commands, name)] as const]
  const rows = chosen.flatMap(([key, command]) => [
    `  ./lab ${usage(key, command)}`,
    `      ${command.summary}`,
    ...optionWords(command.options).map(([word, summary]) => `      ${word.padEnd(14)} ${summary}`),
    '',
  ])
  if (name !== undefined) return rows.join('\n').trimEnd()
  return [
    'fadump-lab: partitions that crash, firmware that preserves, a collector that fetches the vmcore',
    '',
    ...rows,
    '  ./lab help [COMMAND], ./lab version',
  ].join('\n')
}

function version(): string {
  const file = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  const { name, version } = JSON.parse(file) as { name: string; version: string }
  return `${name} ${version} (Node ${process.versions.node})`
}

function print(terminal: Terminal, lines: string): number {
  terminal.out(lines)
  return exitCodes.ok.code
}

/** What went wrong, and indented what caused it; with the stack when the fault is ours. */
function explain(error: unknown): readonly string[] {
  if (!(error instanceof Error)) return [String(error)]
  const own = exitCodeOf(error) === exitCodes.internal.code ? error.stack : undefined
  const cause = error.cause === undefined ? [] : explain(error.cause)
  return [own ?? error.message, ...cause.map((line) => `  caused by ${line}`)]
}
