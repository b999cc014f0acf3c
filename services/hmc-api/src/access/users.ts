/** The users of the console: one list, changed one after the other, on disk before anybody is told. */
import { Problem, type Role, type User } from '@fadump-lab/shared/contracts'
import { KeyedMutex, type Random } from '@fadump-lab/shared/runtime'
import { hashPassword, isPassword, nobodysHash } from './passwords.ts'
import { usersMax, type StoredUser, type UserFile } from './user-file.ts'

/** Logons that wait for their password to be checked; more are refused. */
const waitingMax = 64

export class Users {
  readonly #file: UserFile
  readonly #random: Random
  readonly #mutex = new KeyedMutex()
  #users: readonly StoredUser[]
  #waiting = 0

  private constructor(given: {
    readonly file: UserFile
    readonly random: Random
    readonly users: readonly StoredUser[]
  }) {
    this.#file = given.file
    this.#random = given.random
    this.#users = given.users
  }

  /** `first` is made when there has never been a user. Errors: `ConfigError`. */
  static async open(
    file: UserFile,
    random: Random,
    first?: () => Promise<{ readonly name: string; readonly password: string }>,
  ): Promise<Users> {
    const loaded = await file.load()
    const users = new Users({ file, random, users: loaded ?? [] })
    if (loaded === undefined && first !== undefined) {
      await users.create({ ...(await first()), role: 'administrator' })
    }
    return users
  }

  list(): User[] {
    return this.#users.map(({ name, role }) => ({ name, role }))
  }

  /** The user with this password; `undefined` for a wrong name or password. Errors: `too-many-requests`. */
  async authenticate(name: string, password: string): Promise<User | undefined> {
    if (this.#waiting >= waitingMax) {
      throw new Problem('too-many-requests', `${waitingMax} logons wait to be checked`)
    }
    this.#waiting += 1
    try {
      return await this.#mutex.run('password', async () => {
        const user = this.#users.find((known) => known.name === name)
        const isRight = await isPassword(user?.password ?? nobodysHash, password)
        return user !== undefined && isRight ? { name: user.name, role: user.role } : undefined
      })
    } finally {
      this.#waiting -= 1
    }
  }

  /** Errors: `already-exists`, `insufficient-capacity`. */
  create(given: User & { readonly password: string }): Promise<User> {
    const { name, role } = given
    return this.#change(async (users) => {
      if (users.some((user) => user.name === name)) {
        throw new Problem('already-exists', `there is a user ${name}`)
      }
      if (users.length >= usersMax) {
        throw new Problem('insufficient-capacity', `a console keeps ${usersMax} users`)
      }
      const password = await hashPassword(given.password, this.#random)
      return [...users, { name, role, password }]
    }).then(() => ({ name, role }))
  }

  /** Errors: `not-found`; `in-use` when nobody would administer any more. */
  async change(
    name: string,
    to: { readonly role?: Role | undefined; readonly password?: string | undefined },
  ): Promise<User> {
    const changed = await this.#change(async (users) => {
      const user = existing(users, name)
      const password =
        to.password === undefined ? user.password : await hashPassword(to.password, this.#random)
      const next = { name, role: to.role ?? user.role, password }
      return users.map((known) => (known === user ? next : known))
    })
    const { role } = existing(changed, name)
    return { name, role }
  }

  /** Errors: as `change`. */
  async delete(name: string): Promise<void> {
    await this.#change((users) => {
      const user = existing(users, name)
      return Promise.resolve(users.filter((known) => known !== user))
    })
  }

  #change(
    step: (users: readonly StoredUser[]) => Promise<readonly StoredUser[]>,
  ): Promise<readonly StoredUser[]> {
    return this.#mutex.run('file', async () => {
      const next = await step(this.#users)
      if (!next.some(({ role }) => role === 'administrator')) {
        throw new Problem('in-use', 'this is the last administrator; name another one first')
      }
      await this.#file.save(next)
      this.#users = next
      return next
    })
  }
}

function existing(users: readonly StoredUser[], name: string): StoredUser {
  const user = users.find((known) => known.name === name)
  if (user === undefined) throw new Problem('not-found', `there is no user ${name}`)
  return user
}
