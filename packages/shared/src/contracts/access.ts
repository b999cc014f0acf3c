/**
 * Who may call what. Every route declares its `Access` beside its form; guards, the OpenAPI document, docs/access.md and
 * the test of every route against every caller are derived from it. A route without one is closed to everybody.
 */

/** The four services. */
export const serviceNames = ['hypervisor', 'lpar-kernel', 'dump-collector', 'hmc-api'] as const
export type ServiceName = (typeof serviceNames)[number]

/** Who holds a credential of the machine room: the services, and `monitor`, which reads metrics. */
export const callerNames = [...serviceNames, 'monitor'] as const
export type CallerName = (typeof callerNames)[number]

/** What people may do, each row including those before it. */
export const roles = {
  viewer: 'Look at frames, partitions, jobs, events and the list of dumps; no bytes of memory',
  operator: 'Also make, crash and restart partitions, and download and delete dumps',
  administrator: 'Also frames, users and the sessions of others',
} as const satisfies Readonly<Record<string, string>>
export type Role = keyof typeof roles
const ascending = Object.keys(roles) as Role[]

/** `dump-token`: beside its credential the caller shows the token of the very dump it asks for. */
export type Proof = 'credential' | 'dump-token'

export interface Access {
  /** Services that may call it, and by what proof. */
  readonly callers?: Readonly<Partial<Record<CallerName, Proof>>>
  /** The least role of a user; `anyone` needs no credential at all. */
  readonly role?: Role | 'anyone'
}

/** Whether `role` includes what `least` may do. */
export function includesRole(role: Role, least: Role): boolean {
  return ascending.indexOf(role) >= ascending.indexOf(least)
}

/** Open to everybody who reaches the port: health, and the way to log on. */
export const openToAll = { role: 'anyone' } as const satisfies Access
/** Only the console calls it, for users of these roles. */
export const forViewers = {
  callers: { 'hmc-api': 'credential' },
  role: 'viewer',
} as const satisfies Access
export const forOperators = {
  callers: { 'hmc-api': 'credential' },
  role: 'operator',
} as const satisfies Access
export const forAdministrators = {
  callers: { 'hmc-api': 'credential' },
  role: 'administrator',
} as const satisfies Access
/** Only the console calls it, on behalf of what a user may do there. */
export const byConsole = { callers: { 'hmc-api': 'credential' } } as const satisfies Access
/** What kernels ask of firmware. */
export const byKernels = { callers: { 'lpar-kernel': 'credential' } } as const satisfies Access
/** What firmware asks of kernels. */
export const byFirmware = { callers: { hypervisor: 'credential' } } as const satisfies Access
/** The bytes of a dump, for the one who collects it. */
export const byCollectorOfDump = {
  callers: { 'dump-collector': 'dump-token' },
} as const satisfies Access
