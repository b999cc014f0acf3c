/**
 * Every secret of a machine room, by who holds it. A holder sees its own directory and no other; nothing is in more
 * places than it must.
 */
import { callerNames, type CallerName } from '@fadump-lab/shared/contracts'
import { callersFile, dumpKeyFile, newSecret, verifierOf } from '@fadump-lab/shared/identity'
import type { Random } from '@fadump-lab/shared/runtime'
import { aclFile, operatorUser, redisServerNames, redisUsers } from './redis-users.ts'

/** A directory each. */
export const holders = [...callerNames, ...redisServerNames, 'administrator'] as const
export type Holder = (typeof holders)[number]

export interface SecretFile {
  readonly holder: Holder
  readonly name: string
  readonly content: string
}

/** What lies there already, without the line end. */
export type Found = (holder: Holder, name: string) => string | undefined

export const credentialFile = 'credential.key'
/**
 * The key that a caller is to have next. While it lies there everybody knows both; the operator gives it the name of
 * the other when all have been started again.
 */
export const nextCredentialFile = 'credential.next.key'
/** The password of the console's first administrator; the console holds a copy. */
export const administratorFile = 'administrator.password'

const passwordBytes = 32

/**
 * All files as they are to be; callers that are `exchanged` get a next credential. A secret that is found is kept; what can be derived (access lists, verifiers, copies) is
 * always derived anew, so that a new version of this table takes effect.
 */
export function secretFiles(
  found: Found,
  random: Random,
  exchanged: readonly CallerName[] = [],
): readonly SecretFile[] {
  const keptOr = (holder: Holder, name: string, fresh: () => string): SecretFile => ({
    holder,
    name,
    content: found(holder, name) ?? fresh(),
  })
  const password = (holder: Holder, name: string): SecretFile =>
    keptOr(holder, name, () => random.hex(passwordBytes))
  const dumpKey = keptOr('dump-collector', dumpKeyFile, () => newSecret('dump', random))
  const administrator = password('administrator', administratorFile)
  return [
    ...redisServerNames.flatMap((server) => redisFiles(server, password)),
    ...credentialFiles((holder, name) => {
      const isWanted = name !== nextCredentialFile || exchanged.some((each) => each === holder)
      const content = found(holder, name) ?? (isWanted ? newSecret('service', random) : undefined)
      return content === undefined ? undefined : { holder, name, content }
    }),
    dumpKey,
    { ...dumpKey, holder: 'lpar-kernel' },
    administrator,
    { ...administrator, holder: 'hmc-api' },
  ]
}

type Make = (holder: Holder, name: string) => SecretFile

/** A password a user in the directory of the user, and the access list of the server, which knows digests only. */
function redisFiles(server: keyof typeof redisUsers, password: Make): readonly SecretFile[] {
  const operator = password(server, `${operatorUser}.password`)
  const users = redisUsers[server].map(({ name }) => password(name, `${server}.password`))
  const passwords = Object.fromEntries(users.map(({ holder, content }) => [holder, content]))
  const content = aclFile(server, { ...passwords, [operatorUser]: operator.content })
  return [operator, ...users, { holder: server, name: 'users.acl', content }]
}

/** Each caller's credentials, and everybody's verifiers for everybody. */
function credentialFiles(
  make: (...place: Parameters<Make>) => SecretFile | undefined,
): readonly SecretFile[] {
  const credentials = callerNames.map((holder) => ({
    holder,
    files: [make(holder, credentialFile), make(holder, nextCredentialFile)].filter(
      (file) => file !== undefined,
    ),
  }))
  const verifiers = credentials.map(({ holder, files }) => [
    holder,
    files.map(({ content }) => verifierOf(content)),
  ])
  const content = JSON.stringify(Object.fromEntries(verifiers), undefined, 2)
  return credentials.flatMap(({ holder, files }) => [
    ...files,
    { holder, name: callersFile, content },
  ])
}
