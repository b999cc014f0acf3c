/** The one place where a request is let in or refused, by what its route declares. */
import {
  includesRole,
  Problem,
  type Access,
  type CallerName,
  type Role,
  type ServiceName,
} from '../contracts/index.ts'
import { AuditTrail, type AuditDeps } from './audit.ts'
import { readDumpToken, type DumpClaim } from './dump-token.ts'
import type { ServiceIdentity } from './room-keys.ts'
import { secretPrefixes } from './secret.ts'
import { recognise } from './verifiers.ts'

/** Who makes a request. */
export type Caller =
  | { readonly kind: 'anyone' }
  | { readonly kind: 'service'; readonly name: CallerName }
  | { readonly kind: 'user'; readonly name: string; readonly role: Role; readonly session: string }

/** A request, as far as a guard looks at it. */
export interface GuardedRequest {
  /** What is asked for, for people: method and path pattern. */
  readonly operation: string
  readonly access: Access | undefined
  readonly params: Readonly<Record<string, string | undefined>>
  readonly header: (name: string) => string | undefined
  readonly correlationId: string
}

/** Errors: `unauthenticated`, `forbidden`. */
export type Guard = (request: GuardedRequest) => Promise<Caller>

export const dumpTokenHeader = 'x-dump-token'

export interface GuardOptions extends AuditDeps {
  readonly identity: ServiceIdentity
  /** Counts every refusal, also those that the trail leaves out. */
  readonly metrics: {
    count(name: 'fadump_access_refusals_total', labels: { readonly status: string }): void
  }
  /** The user of a session token; absent: no users here. */
  readonly userOf?: (token: string) => (Caller & { readonly kind: 'user' }) | undefined
  /** Where dumps are presented. */
  readonly dumps?: {
    readonly key: string
    /**
     * Whether the partition presents this dump, or none at all: then its kernel says so. Errors: `not-found`,
     * `wrong-state`, `stale-boot` for the boot that the token names.
     */
    readonly mayAsk: (partition: string, claim: DumpClaim) => Promise<boolean>
  }
}

export function createGuard(options: GuardOptions): Guard {
  const trail = new AuditTrail(options, options.identity.name as ServiceName)
  return async (request) => {
    if (request.access?.role === 'anyone') return { kind: 'anyone' }
    const caller = callerOf(request, options)
    const refusal =
      caller === undefined
        ? unauthenticated(request)
        : await refusalOf({ caller, request, options })
    if (caller !== undefined && refusal === undefined) return caller
    throw await told(trail, { caller, request, options }, refusal ?? unauthenticated(request))
  }
}

/** The refusal, when it has been counted and written down. */
async function told(
  trail: AuditTrail,
  { caller, request, options }: Omit<Question, 'caller'> & { readonly caller: Caller | undefined },
  refusal: Problem,
): Promise<Problem> {
  options.metrics.count('fadump_access_refusals_total', { status: String(refusal.status) })
  await trail.refusal({
    subject: request.operation.slice(0, 64),
    correlationId: request.correlationId,
    detail: { ...placeOf(request), caller: describe(caller), reason: refusal.message },
  })
  return refusal
}

function callerOf(request: GuardedRequest, options: GuardOptions): Caller | undefined {
  const token = bearerToken(request)
  if (token === undefined) return undefined
  if (token.startsWith(secretPrefixes.session)) return options.userOf?.(token)
  const name = recognise(options.identity.verifiers, token)
  return name === undefined ? undefined : { kind: 'service', name }
}

function bearerToken(request: GuardedRequest): string | undefined {
  return /^bearer +([\w.-]+)$/i.exec(request.header('authorization')?.trim() ?? '')?.[1]
}

function unauthenticated(request: GuardedRequest): Problem {
  const isGiven = request.header('authorization') !== undefined
  const what = isGiven ? 'its credential is not known, or not any more' : 'it has no credential'
  return new Problem('unauthenticated', `${request.operation}: ${what}`)
}

interface Question {
  readonly caller: Caller
  readonly request: GuardedRequest
  readonly options: GuardOptions
}

/** Why not, for people; `undefined`: it may. */
async function refusalOf(question: Question): Promise<Problem | undefined> {
  const reason = question.caller.kind === 'user' ? ofUser(question) : await ofService(question)
  return reason === undefined
    ? undefined
    : new Problem('forbidden', `${question.request.operation} ${reason}`)
}

function ofUser({ caller, request }: Question): string | undefined {
  const least = request.access?.role
  if (caller.kind !== 'user' || least === undefined) return 'is for services only'
  if (least === 'anyone' || includesRole(caller.role, least)) return undefined
  return `is for the role ${least}, which ${describe(caller)} does not have`
}

async function ofService({ caller, request, options }: Question): Promise<string | undefined> {
  const proof = caller.kind === 'service' ? request.access?.callers?.[caller.name] : undefined
  if (proof === undefined) return `is not for ${describe(caller)}`
  if (proof === 'credential' || (await holdsDumpToken(request, options))) return undefined
  return 'needs the token of this very dump'
}

async function holdsDumpToken(request: GuardedRequest, { dumps }: GuardOptions): Promise<boolean> {
  const { partition } = request.params
  const token = request.header(dumpTokenHeader)
  if (dumps === undefined || partition === undefined || token === undefined) return false
  const claim = readDumpToken(dumps.key, token)
  return claim !== undefined && (await dumps.mayAsk(partition, claim))
}

/** Which partition or dump it was about, so that its story tells it. */
function placeOf({ params }: GuardedRequest): Record<string, string> {
  return Object.fromEntries(
    ['partition', 'dump', 'image', 'frame'].flatMap((name) => {
      const value = params[name]
      return value === undefined ? [] : [[name, value.slice(0, 64)]]
    }),
  )
}

function describe(caller: Caller | undefined): string {
  switch (caller?.kind) {
    case undefined:
    case 'anyone':
      return 'somebody unknown'
    case 'service':
      return caller.name
    case 'user':
      return `${caller.role} ${caller.name}`
  }
}
