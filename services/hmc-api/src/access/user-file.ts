/** Where users are kept: a file that is replaced as a whole, or nothing but memory. */
import { open, readFile, rename } from 'node:fs/promises'
import { user } from '@fadump-lab/shared/contracts'
import { ConfigError } from '@fadump-lab/shared/runtime'
import { z } from 'zod'
import { passwordHash } from './passwords.ts'

/** Users that one console keeps. */
export const usersMax = 256

const storedUser = z.strictObject({ ...user.shape, password: z.string().regex(passwordHash) })
export type StoredUser = Readonly<z.output<typeof storedUser>>
const content = z.strictObject({ users: z.array(storedUser).max(usersMax) })

export interface UserFile {
  /** `undefined` when there has never been one. */
  load(): Promise<readonly StoredUser[] | undefined>
  save(users: readonly StoredUser[]): Promise<void>
}

/** Readable by its owner only. Errors of `load`: `ConfigError`; of `save`: of the file system. */
export function userFile(path: string): UserFile {
  return {
    load: async () => {
      const text = await readOr(path, undefined)
      return text === undefined ? undefined : parse(text, path)
    },
    save: (users) => replaceFile(path, `${JSON.stringify({ users }, undefined, 2)}\n`),
  }
}

/** For compositions that hand out sessions themselves. */
export function usersInMemory(): UserFile {
  let kept: readonly StoredUser[] = []
  return {
    load: () => Promise.resolve(kept),
    save: (users) => {
      kept = users
      return Promise.resolve()
    },
  }
}

/** The text of the file, or `absent` when there is none. */
export async function readOr<Absent>(path: string, absent: Absent): Promise<string | Absent> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return absent
    throw error
  }
}

/** On disk as a whole, or not at all. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const next = `${path}.new`
  await using file = await open(next, 'w', ownerOnly)
  await file.writeFile(text)
  await file.sync()
  await rename(next, path)
}

const ownerOnly = 0o600

function parse(text: string, path: string): readonly StoredUser[] {
  try {
    return content.parse(JSON.parse(text)).users
  } catch {
    const rule =
      'must name a file of users as the console writes it; a new one is made when it is absent'
    throw new ConfigError([{ variable: 'USERS_FILE', rule, value: path }])
  }
}
