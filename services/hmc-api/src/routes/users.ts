/** Logging on and off, sessions, users. Every step of it is a row of the event stream. */
import { Problem, type userRoutes } from '@fadump-lab/shared/contracts'
import type { Handlers, Input } from '@fadump-lab/shared/http'
import type { AuditTrail, Caller } from '@fadump-lab/shared/identity'
import type { Sessions } from '../access/sessions.ts'
import type { Users } from '../access/users.ts'

export interface AccessRooms {
  readonly users: Users
  readonly sessions: Sessions
  readonly trail: AuditTrail
}

type Asked = Pick<Input<never>, 'caller' | 'correlationId'>

export function userHandlers({ users, sessions, trail }: AccessRooms): Handlers<typeof userRoutes> {
  const tell = ({ caller, correlationId }: Asked, subject: string, event: string) =>
    trail.record({
      aggregate: 'user',
      subject,
      event,
      correlationId,
      detail: { by: userOf(caller)?.name ?? subject },
    })
  return {
    logOn: async ({ body: { name, password }, ...asked }) => {
      const user = await users.authenticate(name, password)
      if (user === undefined) throw await refusedLogon(trail, name, asked.correlationId)
      const session = sessions.open(user)
      await tell(asked, user.name, 'loggedOn')
      return session
    },
    getSession: ({ caller }) => Promise.resolve(sessions.get(sessionOf(caller))),
    logOff: async ({ caller, correlationId }) => {
      const { user } = sessions.end(sessionOf(caller))
      await tell({ caller, correlationId }, user, 'loggedOff')
      return undefined
    },
    listSessions: () => Promise.resolve(sessions.list()),
    revokeSession: async ({ params, ...asked }) => {
      const { user } = sessions.end(params.session)
      await tell(asked, user, 'sessionRevoked')
      return undefined
    },
    listUsers: () => Promise.resolve(users.list()),
    createUser: async ({ body, ...asked }) => {
      const user = await users.create(body)
      await tell(asked, user.name, 'created')
      return user
    },
    changeUser: async ({ params, body, ...asked }) => {
      const user = await users.change(params.user, body)
      sessions.endAllOf(user.name)
      await tell(asked, user.name, 'changed')
      return user
    },
    deleteUser: async ({ params, ...asked }) => {
      await users.delete(params.user)
      sessions.endAllOf(params.user)
      await tell(asked, params.user, 'deleted')
      return undefined
    },
  }
}

/** Does not tell whether the name or the password is wrong. */
async function refusedLogon(
  trail: AuditTrail,
  name: string,
  correlationId: string,
): Promise<Problem> {
  const reason = 'no user of this name has this password'
  const detail = { caller: name.slice(0, 64), reason }
  await trail.refusal({ subject: 'POST /v1/sessions', correlationId, detail })
  return new Problem('unauthenticated', reason)
}

function userOf(caller: Caller): (Caller & { readonly kind: 'user' }) | undefined {
  return caller.kind === 'user' ? caller : undefined
}

/** Only users get here: the routes are for roles. */
function sessionOf(caller: Caller): string {
  const user = userOf(caller)
  if (user === undefined) throw new Problem('not-found', 'this request belongs to no session')
  return user.session
}
