/**
 * Passwords, kept as scrypt of node:crypto makes them, in the PHC string format. docs/adr/0012-who-may-do-what.md says
 * why scrypt, and where its cost comes from.
 */
import { scrypt } from 'node:crypto'
import { equalSecrets } from '@fadump-lab/shared/identity'
import type { Random } from '@fadump-lab/shared/runtime'
import { fromBase64, fromHex, invariant, toBase64 } from '@fadump-lab/shared/units'

/** N = 2¹⁵, r = 8, p = 3: 32 MiB; the second of OWASP's equal choices (Password Storage Cheat Sheet). */
const cost = { log2N: 15, r: 8, p: 3 } as const
const saltBytes = 16
const hashBytes = 32
/** scrypt takes 128 · N · r bytes, and a little. */
const memoryBytesMax = 64 * 1024 * 1024

/** `$scrypt$ln=15,r=8,p=3$<salt>$<hash>`, both base64 without padding. */
export const passwordHash = /^\$scrypt\$ln=15,r=8,p=3\$([A-Za-z0-9+/]{22})\$([A-Za-z0-9+/]{43})$/

/** Of no known password: asking it takes as long as asking that of a user. */
export const nobodysHash = `$scrypt$ln=15,r=8,p=3$${'A'.repeat(22)}$${'A'.repeat(43)}`

export async function hashPassword(password: string, random: Random): Promise<string> {
  const salt = fromHex(random.hex(saltBytes))
  return phc(salt, await derive(password, salt))
}

/** Takes the same time for every password, right or wrong. */
export async function isPassword(hash: string, password: string): Promise<boolean> {
  const match = passwordHash.exec(hash)
  invariant(match !== null, 'a stored password hash has the form that hashPassword gives it')
  const salt = fromBase64(match[1] ?? '')
  return equalSecrets(hash, phc(salt, await derive(password, salt)))
}

function phc(salt: Uint8Array, hash: Uint8Array): string {
  const { log2N, r, p } = cost
  return `$scrypt$ln=${log2N},r=${r},p=${p}$${unpadded(salt)}$${unpadded(hash)}`
}

function unpadded(bytes: Uint8Array): string {
  return toBase64(bytes).replace(/=+$/, '')
}

function derive(password: string, salt: Uint8Array): Promise<Uint8Array> {
  const options = { N: 2 ** cost.log2N, r: cost.r, p: cost.p, maxmem: memoryBytesMax }
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFKC'), salt, hashBytes, options, (error, key) =>
      error === null ? resolve(key) : reject(error),
    )
  })
}
