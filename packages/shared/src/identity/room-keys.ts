/** All keys of one machine room, and the files they are handed out in. */
import { callerNames, type CallerName } from '../contracts/index.ts'
import type { Random } from '../runtime/index.ts'
import { newSecret, verifierOf } from './secret.ts'
import type { CallerVerifiers } from './verifiers.ts'

/** Who a service is, and whom it knows. */
export interface ServiceIdentity {
  readonly name: CallerName
  /** Its own credential. */
  readonly secret: string
  readonly verifiers: CallerVerifiers
}

export interface RoomKeys {
  readonly secrets: Readonly<Record<CallerName, string>>
  readonly verifiers: CallerVerifiers
  /** Of kernel hosts and collectors only. */
  readonly dumpKey: string
  identityOf(name: CallerName): ServiceIdentity
}

/** Fresh keys. `random` must be the system's own for anything but tests. */
export function newRoomKeys(random: Random): RoomKeys {
  const pairs = callerNames.map((name) => [name, newSecret('service', random)] as const)
  const secrets = Object.fromEntries(pairs) as Record<CallerName, string>
  const verifiers = Object.fromEntries(
    pairs.map(([name, secret]) => [name, [verifierOf(secret)]]),
  ) as CallerVerifiers
  return {
    secrets,
    verifiers,
    dumpKey: newSecret('dump', random),
    identityOf: (name) => ({ name, secret: secrets[name], verifiers }),
  }
}

/** The file of everybody's verifiers, and that of the dump key; a credential lies in `<caller>.key`. */
export const callersFile = 'callers.json'
export const dumpKeyFile = 'dump.key'

/**
 * File name and content of every key: what `CREDENTIAL_FILE` (`<caller>.key`), `CALLERS_FILE` and `DUMP_KEY_FILE` of the
 * services name.
 */
export function keyFiles(keys: RoomKeys): Readonly<Record<string, string>> {
  const credentials = callerNames.map((name) => [`${name}.key`, `${keys.secrets[name]}\n`])
  return {
    ...(Object.fromEntries(credentials) as Record<string, string>),
    [callersFile]: `${JSON.stringify(keys.verifiers, undefined, 2)}\n`,
    [dumpKeyFile]: `${keys.dumpKey}\n`,
  }
}
