/** Who can log on to a console that has never had a user. */
import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ConfigError, type Random } from '@fadump-lab/shared/runtime'
import { passwordCharactersMin } from '@fadump-lab/shared/contracts'
import { readOr } from './user-file.ts'

export const firstAdministrator = 'admin'
const generatedBytes = 16

export interface FirstStart {
  readonly usersFile: string
  /** Default: `administrator-password` beside the users. */
  readonly passwordFile: string | undefined
  readonly random: Random
  readonly logger: { info(facts: object, text: string): void }
}

/**
 * The name and the password that the file holds; when there is none, one is made and written there for its owner's eyes
 * only. The log tells where, never what. Errors: `ConfigError` for a password that is too short.
 */
export async function makeFirstAdministrator(
  given: FirstStart,
): Promise<{ readonly name: string; readonly password: string }> {
  const path = given.passwordFile ?? join(dirname(given.usersFile), 'administrator-password')
  const written = (await readOr(path, undefined))?.trimEnd()
  const password = written ?? given.random.hex(generatedBytes)
  if (password.length < passwordCharactersMin) {
    const rule = `must name a file with a password of at least ${passwordCharactersMin} characters`
    throw new ConfigError([{ variable: 'ADMINISTRATOR_PASSWORD_FILE', rule, value: path }])
  }
  if (written === undefined) {
    await writeFile(path, `${password}\n`, { mode: 0o600, flag: 'wx', flush: true })
  }
  given.logger.info(
    { user: firstAdministrator, passwordFile: path },
    'made the first administrator',
  )
  return { name: firstAdministrator, password }
}
