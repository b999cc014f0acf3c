/** Where `./lab up` leaves the token of its console, and where the other commands find it. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Below the working directory; only its owner can read it. */
export const defaultTokenFile = '.lab/token'

/** Writes the token; disposing removes the file, since the token dies with its console. */
export async function leaveToken(path: string, token: string): Promise<AsyncDisposable> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await rm(path, { force: true })
  await writeFile(path, `${token}\n`, { mode: 0o600, flag: 'wx' })
  return { [Symbol.asyncDispose]: () => rm(path, { force: true }) }
}

/** `undefined` when there is no such file: then the console says what is missing. */
export async function findToken(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').then(
    (text) => text.trim(),
    () => undefined,
  )
}
