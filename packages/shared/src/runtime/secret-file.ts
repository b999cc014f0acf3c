/** Secrets are given as files: an environment is shown by `inspect`, inherited by children and dumped with errors. */
import { readFile } from 'node:fs/promises'
import { ConfigError, type ConfigIssue } from './config.ts'

/** No secret of ours is longer; a longer file is the wrong file. */
export const secretCharactersMax = 4096

/**
 * The content of the file that `variable` names, without the line end; `undefined` when the variable is not set.
 * Errors: `ConfigError` when the file cannot be read, is empty or too long. The content never appears in it.
 */
export async function readSecretFile(
  variable: string,
  path: string | undefined,
): Promise<string | undefined> {
  if (path === undefined) return undefined
  const refuse = (rule: string): ConfigError =>
    new ConfigError([{ variable, rule, value: path } satisfies ConfigIssue])
  const secret = await readFile(path, 'utf8').then(
    (text) => text.trimEnd(),
    (error: NodeJS.ErrnoException) => {
      throw refuse(`must name a file that can be read (${error.code ?? error.message})`)
    },
  )
  if (secret === '') throw refuse('must name a file that is not empty')
  if (secret.length > secretCharactersMax) {
    throw refuse(`must name a file of at most ${secretCharactersMax} characters`)
  }
  return secret
}

/** `url` with the password that a file holds, unchanged without a file. Errors: as `readSecretFile`. */
export async function urlWithPassword(
  url: string,
  file: { readonly variable: string; readonly path: string | undefined },
): Promise<string> {
  const password = await readSecretFile(file.variable, file.path)
  if (password === undefined) return url
  const complete = new URL(url)
  complete.password = encodeURIComponent(password)
  return complete.href
}
