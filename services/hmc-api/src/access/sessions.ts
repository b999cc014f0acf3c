/**
 * Who is logged on. Tokens are kept as their verifiers, in memory: a restarted console asks everybody to log on again.
 * Bounded by time and by number a user.
 */
import {
  Problem,
  type NewSession,
  type Role,
  type Session,
  type User,
} from '@fadump-lab/shared/contracts'
import { isSecret, newSecret, verifierOf, type Caller } from '@fadump-lab/shared/identity'
import { isoTime, type Clock, type Random } from '@fadump-lab/shared/runtime'

/** Sessions of one user; the oldest one ends when there is one more. */
export const sessionsPerUserMax = 32
const idBytes = 8

interface Held {
  readonly id: string
  readonly user: string
  readonly role: Role
  readonly startedAtMs: number
  readonly expiresAtMs: number
}

export class Sessions {
  readonly #clock: Clock
  readonly #random: Random
  readonly #ttlMs: number
  /** By verifier, oldest first. */
  readonly #held = new Map<string, Held>()

  constructor(given: { readonly clock: Clock; readonly random: Random; readonly ttlMs: number }) {
    this.#clock = given.clock
    this.#random = given.random
    this.#ttlMs = given.ttlMs
  }

  open({ name, role }: User): NewSession {
    this.#sweep()
    const [oldest, ...rest] = [...this.#held].filter(([, held]) => held.user === name)
    if (oldest !== undefined && rest.length + 1 >= sessionsPerUserMax) this.#held.delete(oldest[0])
    const token = newSecret('session', this.#random)
    const startedAtMs = this.#clock.now()
    const expiresAtMs = startedAtMs + this.#ttlMs
    const id = `session-${this.#random.hex(idBytes)}`
    const held = { id, user: name, role, startedAtMs, expiresAtMs }
    this.#held.set(verifierOf(token), held)
    return { ...shown(held), token }
  }

  /** The user of a token that is still good. */
  userOf(token: string): (Caller & { readonly kind: 'user' }) | undefined {
    const held = isSecret('session', token) ? this.#held.get(verifierOf(token)) : undefined
    if (held === undefined || held.expiresAtMs <= this.#clock.now()) return undefined
    return { kind: 'user', name: held.user, role: held.role, session: held.id }
  }

  list(): Session[] {
    this.#sweep()
    return [...this.#held.values()].map(shown)
  }

  /** Errors: `not-found`. */
  get(id: string): Session {
    const found = this.list().find((session) => session.id === id)
    if (found === undefined) throw new Problem('not-found', `there is no session ${id}`)
    return found
  }

  /** Errors: `not-found`. */
  end(id: string): Session {
    const session = this.get(id)
    this.#drop((held) => held.id === id)
    return session
  }

  endAllOf(user: string): void {
    this.#drop((held) => held.user === user)
  }

  #sweep(): void {
    const now = this.#clock.now()
    this.#drop((held) => held.expiresAtMs <= now)
  }

  #drop(isOver: (held: Held) => boolean): void {
    for (const [verifier, held] of this.#held) if (isOver(held)) this.#held.delete(verifier)
  }
}

function shown({ id, user, role, startedAtMs, expiresAtMs }: Held): Session {
  return { id, user, role, startedAt: isoTime(startedAtMs), expiresAt: isoTime(expiresAtMs) }
}
