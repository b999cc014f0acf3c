/** What a client puts into its requests to be let in. */
import type { Access, CallerName, Proof } from '../contracts/index.ts'
import { dumpToken, type DumpClaim } from './dump-token.ts'
import { dumpTokenHeader } from './guard.ts'
import type { RoomKeys } from './room-keys.ts'

/** Headers for a request to a route with this access. */
export type Authorize = (route: { readonly access: Access }) => Readonly<Record<string, string>>

/** The same credential for every route. */
export function bearer(secret: string): Authorize {
  return () => ({ authorization: `Bearer ${secret}` })
}

/** For tests: to every route as the first caller that it declares, with the token of the dump that `claim` names. */
export function asDeclared(
  keys: Pick<RoomKeys, 'secrets' | 'dumpKey'>,
  claim?: () => DumpClaim,
): Authorize {
  return ({ access }) => {
    const [declared] = Object.entries(access.callers ?? {}) as [CallerName, Proof][]
    if (declared === undefined) return {}
    const [caller, proof] = declared
    const headers = bearer(keys.secrets[caller])({ access })
    if (proof === 'credential' || claim === undefined) return headers
    return { ...headers, [dumpTokenHeader]: dumpToken(keys.dumpKey, claim()) }
  }
}
