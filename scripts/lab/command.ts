/** What a command is: one declared row from which parsing, refusals and help are derived. */

/** An option that is there or not. */
export interface Flag {
  readonly summary: string
}

/** An option with a value; `parse` throws `UsageError` for text it refuses. */
export interface Valued<Value> {
  readonly summary: string
  /** How help names the value, e.g. `DIR`. */
  readonly placeholder: string
  readonly parse: (text: string) => Value
}

export type Options = Readonly<Record<string, Flag | Valued<unknown>>>

/** Flags become booleans, valued options their value or `undefined` when they are not given. */
export type OptionValues<O extends Options> = {
  readonly [K in keyof O]: O[K] extends Valued<infer Value> ? Value | undefined : boolean
}

/** A command as the dispatcher sees it, its option types erased. */
export interface Command {
  readonly summary: string
  readonly options: Options
  /** How help names further arguments, e.g. `PATTERN...`; without it there are none. */
  readonly operands?: string
  readonly run: (
    values: Readonly<Record<string, unknown>>,
    operands: readonly string[],
  ) => Promise<number>
}

/** Declares a command: `run` gets the values that its `options` describe and answers with the exit code. */
export function command<const O extends Options>(
  row: Omit<Command, 'options' | 'run'> & {
    readonly options: O
    readonly run: (values: OptionValues<O>, operands: readonly string[]) => Promise<number>
  },
): Command {
  // The dispatcher fills exactly the keys of `options`, each by its own `parse`.
  return { ...row, run: (values, operands) => row.run(values as OptionValues<O>, operands) }
}

/** The command line is wrong: exit code 64, and a message that names what would be right. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
  readonly exitReason = 'usage'
}

export const text = (value: string): string => value

/** A TCP port; 0 lets the system choose. */
export function port(value: string): number {
  const number = /^\d{1,5}$/.test(value) ? Number(value) : Number.NaN
  if (number <= 65_535) return number
  throw new UsageError(`${JSON.stringify(value)} is no port: a port is a number from 0 to 65535`)
}

/** The address of a Redis server. */
export function redisUrl(value: string): string {
  if (/^rediss?:\/\/[^\s/]/.test(value) && URL.canParse(value)) return value
  throw new UsageError(`${JSON.stringify(value)} is no Redis URL: give redis://HOST:PORT`)
}
