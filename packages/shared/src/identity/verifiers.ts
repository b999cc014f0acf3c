/** Whom a service knows: SHA-256 verifiers of the callers' secrets. Who reads them has no credential. */
import { z } from 'zod'
import { callerNames, type CallerName } from '../contracts/index.ts'
import { fromHex } from '../units/index.ts'
import { digestOf, equalDigests } from './secret.ts'

/** Secrets of one caller that are valid at the same time: the old and the new one while they are exchanged. */
const verifiersPerCallerMax = 4
const verifier = z.string().regex(/^[0-9a-f]{64}$/, 'must be the SHA-256 of a secret')

/** The file of verifiers: a list a caller. A caller that is not in it is refused everywhere. */
export const callerVerifiers = z.partialRecord(
  z.enum(callerNames),
  z.array(verifier).max(verifiersPerCallerMax),
)
export type CallerVerifiers = Readonly<Partial<Record<CallerName, readonly string[]>>>

/** Whose secret it is. Every verifier is compared, so that the time tells nothing about any. */
export function recognise(verifiers: CallerVerifiers, secret: string): CallerName | undefined {
  const shown = digestOf(secret)
  let found: CallerName | undefined
  for (const { name, digest } of digestsOf(verifiers)) {
    if (equalDigests(digest, shown)) found = name
  }
  return found
}

interface KnownDigest {
  readonly name: CallerName
  readonly digest: Uint8Array
}

const digests = new WeakMap<CallerVerifiers, readonly KnownDigest[]>()

/** Read once: verifiers do not change while a service runs. */
function digestsOf(verifiers: CallerVerifiers): readonly KnownDigest[] {
  const known =
    digests.get(verifiers) ??
    callerNames.flatMap((name) =>
      (verifiers[name] ?? []).map((digits) => ({ name, digest: fromHex(digits) })),
    )
  digests.set(verifiers, known)
  return known
}
