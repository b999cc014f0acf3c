/**
 * Configuration from environment variables: one zod object per service, one key per variable.
 *
 * Keys are the variables' names; other variables are ignored, an empty one counts as not set. Values arrive as
 * strings, so keys that are not strings use `envInteger`, `z.stringbool()` or another codec from a string.
 */
import { z } from 'zod'

export interface ConfigIssue {
  readonly variable: string
  readonly rule: string
  /** What was given, redacted when the name or the form says that it is secret; `undefined` when not set. */
  readonly value: string | undefined
}

/** Every variable that is refused, at once. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly exitReason = 'configuration'
  readonly issues: readonly ConfigIssue[]
  constructor(issues: readonly ConfigIssue[]) {
    super(`the configuration is refused:\n${issues.map(describeIssue).join('\n')}`)
    this.issues = issues
  }
}

export type Environment = Readonly<Record<string, string | undefined>>

/** The configuration in `env`, frozen. Errors: `ConfigError` with all issues. */
export function loadConfig<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  env: Environment,
): Readonly<z.output<z.ZodObject<Shape>>> {
  const given = Object.fromEntries(
    Object.keys(schema.shape).flatMap((name) => {
      const value = env[name]
      return value === undefined || value === '' ? [] : [[name, value]]
    }),
  )
  const parsed = schema.safeParse(given)
  if (parsed.success) return Object.freeze(parsed.data)
  throw new ConfigError(parsed.error.issues.map((issue) => configIssue(issue, env)))
}

/** A whole number between `min` and `max`, written in decimal digits. */
export function envInteger(min: number, max: number): z.ZodType<number, string> {
  const digits = z.string().regex(/^-?[0-9]+$/, 'must be a whole number in decimal digits')
  return z.codec(
    digits,
    z.int().min(min, `must be at least ${min}`).max(max, `must be at most ${max}`),
    {
      decode: Number,
      encode: String,
    },
  )
}

const secretName = /PASSWORD|PASSPHRASE|SECRET|TOKEN|CREDENTIAL|PRIVATE|(?:^|_)KEY$/i
const redacted = '[redacted]'

/** `value` without secrets: whole when `name` says so, else the password of a URL. */
export function redact(name: string, value: string): string {
  return secretName.test(name)
    ? redacted
    : value.replace(/(:\/\/[^/?#\s]*:)[^/?#\s]*@/, `$1${redacted}@`)
}

function configIssue(issue: z.core.$ZodIssue, env: Environment): ConfigIssue {
  const variable = String(issue.path[0] ?? '')
  const value = env[variable]
  if (value === undefined || value === '')
    return { variable, rule: 'must be set', value: undefined }
  return { variable, rule: issue.message, value: redact(variable, value) }
}

function describeIssue(issue: ConfigIssue): string {
  const given = issue.value === undefined ? 'not set' : JSON.stringify(issue.value)
  return `  ${issue.variable}: ${issue.rule} (${given})`
}
