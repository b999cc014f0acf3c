/**
 * Every route of every service, asked by everybody: let in is exactly who the route declares. What is asked for does not
 * exist, so that whoever is let in changes nothing; the answer then is any refusal but 401 and 403 of the guard.
 */
import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import {
  collectorRoutes,
  faultRoutes,
  vitalsRoutes,
  hmcRoutes,
  hypervisorRoutes,
  includesRole,
  lparKernelRoutes,
  healthRoutes,
  roles,
  type Access,
  type CallerName,
  type Role,
  type Route,
} from '@fadump-lab/shared/contracts'
import { dumpToken, newRoomKeys } from '@fadump-lab/shared/identity'
import { systemRandom } from '@fadump-lab/shared/runtime'
import { startRoom, type Room } from '../support/room.ts'

type Asked = Pick<Route, 'method' | 'path' | 'access'>
type Answer = 'in' | 'unauthenticated' | 'forbidden'

/** Somebody who asks: what is sent, and what the declared row makes of it. */
interface Row {
  readonly who: string
  readonly headers: (room: Room) => Record<string, string>
  readonly expected: (access: Access, at: 'console' | 'service') => Answer
}

const health: readonly Asked[] = Object.values(healthRoutes)
const faults = [...Object.values(faultRoutes), ...Object.values(vitalsRoutes)]
/** Where each table is served. `/openapi.json` and the pages beside it are outside of the tables. */
const served: readonly [keyof Room['urls'], 'console' | 'service', readonly Asked[]][] = [
  ['hypervisor', 'service', [...Object.values(hypervisorRoutes), ...faults, ...health]],
  ['kernel', 'service', [...Object.values(lparKernelRoutes), ...faults, ...health]],
  ['collector', 'service', [...Object.values(collectorRoutes), ...faults, ...health]],
  ['console', 'console', [...Object.values(hmcRoutes), ...health]],
]

const strangers = newRoomKeys(systemRandom())
const claim = { dump: 'no-partition-00ff-1', epoch: 1 }
const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` })
const isOpen = (access: Access) => access.role === 'anyone'
const unknown = (access: Access): Answer => (isOpen(access) ? 'in' : 'unauthenticated')

const nobodies: readonly Row[] = [
  { who: 'nobody', headers: () => ({}), expected: unknown },
  {
    who: 'a stranger with a key of another room',
    headers: () => bearer(strangers.secrets['hmc-api']),
    expected: unknown,
  },
  {
    who: 'somebody with a verifier for a key',
    headers: ({ keys }) => bearer(`fls_${keys.verifiers['hmc-api']?.[0] ?? ''}`),
    expected: unknown,
  },
  {
    who: 'somebody with the dump key for a key',
    headers: ({ keys }) => bearer(keys.dumpKey),
    expected: unknown,
  },
  {
    who: 'a user whose password is sent along',
    headers: () => ({ authorization: `Basic ${btoa('admin:password')}` }),
    expected: unknown,
  },
]

const services: readonly Row[] = (
  ['hypervisor', 'lpar-kernel', 'dump-collector', 'hmc-api', 'monitor'] as const
).flatMap((name): Row[] => [
  {
    who: name,
    headers: ({ keys }) => bearer(keys.secrets[name]),
    expected: (access) => ofCaller(access, name, 'no token'),
  },
  {
    who: `${name} with the token of another dump key`,
    headers: ({ keys }) => ({
      ...bearer(keys.secrets[name]),
      'x-dump-token': dumpToken(strangers.dumpKey, claim),
    }),
    expected: (access) => ofCaller(access, name, 'no token'),
  },
  {
    who: `${name} with a dump token`,
    headers: ({ keys }) => ({
      ...bearer(keys.secrets[name]),
      'x-dump-token': dumpToken(keys.dumpKey, claim),
    }),
    expected: (access) => ofCaller(access, name, 'token'),
  },
])

function ofCaller(access: Access, name: CallerName, shown: 'token' | 'no token'): Answer {
  if (isOpen(access)) return 'in'
  const proof = access.callers?.[name]
  if (proof === 'credential') return 'in'
  return proof === 'dump-token' && shown === 'token' ? 'in' : 'forbidden'
}

const users: readonly Row[] = (Object.keys(roles) as Role[]).map((role) => ({
  who: `a user with the role ${role}`,
  headers: ({ tokenFor }) => bearer(tokenFor(role)),
  expected: (access, at) => {
    if (isOpen(access)) return 'in'
    // Users are known to the console only.
    if (at === 'service' || access.role === undefined) return 'unauthenticated'
    return access.role !== 'anyone' && includesRole(role, access.role) ? 'in' : 'forbidden'
  },
}))

async function ask(url: string, asked: Asked, headers: Record<string, string>): Promise<Answer> {
  const path = asked.path
    .replace(/:([a-z]+)/g, (_match, name: string) => `no-${name}`)
    .replace('*', 'kernel/fadump/enabled')
  const response = await fetch(`${url}${path}`, { method: asked.method, headers })
  const text = await response.text()
  assert.doesNotMatch(text, /no such route/, `${asked.method} ${asked.path} is served`)
  if (text.includes('"/problems/unauthenticated"')) {
    assert.equal(response.status, 401)
    assert.equal(response.headers.get('www-authenticate'), 'Bearer')
    return 'unauthenticated'
  }
  if (!text.includes('"/problems/forbidden"')) return 'in'
  assert.equal(response.status, 403)
  return 'forbidden'
}

suite('every route lets in whom it declares, and nobody else', () => {
  for (const row of [...nobodies, ...services, ...users]) {
    test(row.who, async () => {
      await using room = await startRoom()
      const wrong: string[] = []
      let asked = 0
      for (const [service, at, routes] of served) {
        for (const route of routes) {
          const answer = await ask(room.urls[service], route, row.headers(room))
          const expected = row.expected(route.access, at)
          asked += 1
          if (answer === expected) continue
          wrong.push(`${service}: ${route.method} ${route.path}: ${answer}, not ${expected}`)
        }
      }
      assert.deepEqual(wrong, [])
      assert.ok(asked > 90, `${asked} routes`)
    })
  }

  test('and what must hold whatever the rows say: who may touch memory, dumps and firmware', () => {
    const callersOf = ({ access }: Asked) => Object.entries(access.callers ?? {}).map(String)
    const kernel = ['lpar-kernel,credential']
    assert.deepEqual(callersOf(hypervisorRoutes.rtasCall), kernel)
    assert.deepEqual(callersOf(hypervisorRoutes.putVcpus), kernel)
    assert.deepEqual(callersOf(hypervisorRoutes.reportBootProgress), kernel)
    const collector = ['dump-collector,dump-token']
    assert.deepEqual(callersOf(lparKernelRoutes.readVmcore), collector)
    assert.deepEqual(callersOf(lparKernelRoutes.readVmcoreManifest), collector)
    assert.deepEqual(callersOf(lparKernelRoutes.releaseDump), ['hmc-api,credential', ...collector])
    assert.deepEqual(callersOf(lparKernelRoutes.crash), ['hmc-api,credential'])
    assert.equal(hmcRoutes.downloadVmcore.access.role, 'operator')
    assert.equal(hmcRoutes.getStructure.access.role, 'operator')
    assert.equal(hmcRoutes.createUser.access.role, 'administrator')
    assert.equal(hmcRoutes.armFault.access.role, 'administrator')
    assert.deepEqual(callersOf(faultRoutes.armFault), ['hmc-api,credential'])
  })
})
