/** Users of the console and their sessions: who is known, with which role, and who is logged on. */
import { z } from 'zod'
import { openToAll, roles, type Role } from './access.ts'
import { sessionId, userName } from './ids.ts'
import { json, none, type Routes } from './route.ts'

const role = z.enum(Object.keys(roles) as [Role, ...Role[]])
/** The shortest password that is accepted for a user, in characters. */
export const passwordCharactersMin = 12
const passwordCharactersMax = 256
const password = z.string().min(passwordCharactersMin).max(passwordCharactersMax)

export const user = z.strictObject({ name: userName, role })
export type User = z.output<typeof user>

const newUser = z.strictObject({ ...user.shape, password })
const logon = z.strictObject({
  name: z.string().max(256),
  password: z.string().max(passwordCharactersMax),
})

/** A session as others see it: never with its token. */
export const session = z.strictObject({
  id: sessionId,
  user: userName,
  role,
  startedAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
})
export type Session = z.output<typeof session>

/** `token` goes into `authorization: Bearer …` of every other request; it is told here only. */
const newSession = z.strictObject({ ...session.shape, token: z.string() })
export type NewSession = z.output<typeof newSession>

const userParams = z.strictObject({ user: userName })
const viewers = { role: 'viewer' } as const
const administrators = { role: 'administrator' } as const

export const userRoutes = {
  logOn: {
    method: 'POST',
    access: openToAll,
    path: '/sessions',
    summary: 'Log on: a bearer token for a name and a password',
    body: json(logon, 4096),
    status: 201,
    reply: json(newSession),
    problems: ['unauthenticated', 'too-many-requests'],
  },
  getSession: {
    method: 'GET',
    access: viewers,
    path: '/session',
    summary: 'The session of this request',
    status: 200,
    reply: json(session),
    problems: [],
  },
  logOff: {
    method: 'DELETE',
    access: viewers,
    path: '/session',
    summary: 'Log off: the token of this request is void from now on',
    status: 204,
    reply: none,
    problems: [],
  },
  listSessions: {
    method: 'GET',
    access: administrators,
    path: '/sessions',
    summary: 'Sessions of all users, oldest first',
    status: 200,
    reply: json(z.array(session)),
    problems: [],
  },
  revokeSession: {
    method: 'DELETE',
    access: administrators,
    path: '/sessions/:session',
    summary: 'End a session of somebody',
    params: z.strictObject({ session: sessionId }),
    status: 204,
    reply: none,
    problems: ['not-found'],
  },
  listUsers: {
    method: 'GET',
    access: administrators,
    path: '/users',
    summary: 'Users and their roles',
    status: 200,
    reply: json(z.array(user)),
    problems: [],
  },
  createUser: {
    method: 'POST',
    access: administrators,
    path: '/users',
    summary: 'Add a user',
    body: json(newUser, 4096),
    status: 201,
    reply: json(user),
    problems: ['invalid-request', 'already-exists', 'insufficient-capacity'],
  },
  changeUser: {
    method: 'PUT',
    access: administrators,
    path: '/users/:user',
    summary: 'Give a user another role or password; the user’s sessions end',
    params: userParams,
    body: json(z.strictObject({ role: role.optional(), password: password.optional() }), 4096),
    status: 200,
    reply: json(user),
    problems: ['invalid-request', 'not-found', 'in-use'],
  },
  deleteUser: {
    method: 'DELETE',
    access: administrators,
    path: '/users/:user',
    summary: 'Remove a user; the user’s sessions end',
    params: userParams,
    status: 204,
    reply: none,
    problems: ['not-found', 'in-use'],
  },
} as const satisfies Routes
