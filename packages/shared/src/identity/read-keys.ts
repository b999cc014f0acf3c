/** Keys from the files that the configuration names. What is wrong with one is told without what is in it. */
import { ConfigError, readSecretFile } from '../runtime/index.ts'
import { isSecret, type SecretKind } from './secret.ts'
import { callerVerifiers, type CallerVerifiers } from './verifiers.ts'

/** A variable and the file it names. */
export interface NamedFile {
  readonly variable: string
  readonly path: string
}

/** The key in the file. Errors: `ConfigError`. */
export async function readKeyFile(file: NamedFile, kind: SecretKind): Promise<string> {
  const text = await readSecretFile(file.variable, file.path)
  if (text !== undefined && isSecret(kind, text)) return text
  throw refused(file, `must name a file with one ${kind} key, as \`./lab init\` makes them`)
}

/** Errors: `ConfigError`. */
export async function readVerifiersFile(file: NamedFile): Promise<CallerVerifiers> {
  const text = await readSecretFile(file.variable, file.path)
  const parsed = callerVerifiers.safeParse(parseJson(text ?? ''))
  if (parsed.success) return parsed.data
  throw refused(file, 'must name the file of verifiers, as `./lab init` makes it')
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function refused({ variable, path }: NamedFile, rule: string): ConfigError {
  return new ConfigError([{ variable, rule, value: path }])
}
