/**
 * Secrets and what can be told from them. A secret is 256 random bits behind a prefix that says what it opens, so that
 * people, and programs that search for leaked keys, know it when they see it.
 */
import { hash, timingSafeEqual } from 'node:crypto'
import type { Random } from '../runtime/index.ts'
import { fromAscii } from '../units/index.ts'

/** `service`: a caller in the machine room; `dump`: the key of dump tokens; `session`: a user who is logged on. */
export const secretPrefixes = { service: 'fls_', dump: 'fld_', session: 'flu_' } as const
export type SecretKind = keyof typeof secretPrefixes

const secretBytes = 32
const secretDigits = /^[0-9a-f]{64}$/

export function newSecret(kind: SecretKind, random: Random): string {
  return `${secretPrefixes[kind]}${random.hex(secretBytes)}`
}

export function isSecret(kind: SecretKind, text: string): boolean {
  const prefix = secretPrefixes[kind]
  return text.startsWith(prefix) && secretDigits.test(text.slice(prefix.length))
}

/**
 * SHA-256 of the secret, 64 hexadecimal digits: enough to know it again, useless to those who have none. No slow hash
 * is needed, because a secret has 256 random bits.
 */
export function verifierOf(secret: string): string {
  return hash('sha256', secret, 'hex')
}

/** The verifier as bytes. */
export function digestOf(secret: string): Uint8Array {
  return hash('sha256', secret, 'buffer')
}

/** Whether two digests are equal, in a time that tells nothing about them. */
export function equalDigests(one: Uint8Array, other: Uint8Array): boolean {
  return one.byteLength === other.byteLength && timingSafeEqual(one, other)
}

/** Whether two texts are equal, in a time that depends on their lengths only. */
export function equalSecrets(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(fromAscii(one), fromAscii(other))
}
