/**
 * A service answers within the process what it answers over a socket: status, headers and body, whether it does what it
 * is asked or refuses it. Only the framing of HTTP is left out.
 */
import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import {
  flattenedMedia,
  healthRoutes,
  hypervisorRoutes,
  type CallerName,
  type Route,
} from '@fadump-lab/shared/contracts'
import { createClient, type Client, type Fetch, type Reply } from '@fadump-lab/shared/http'
import { asDeclared, dumpToken, newSecret } from '@fadump-lab/shared/identity'
import { encodeRtasCall, rtasToken } from '@fadump-lab/shared/rtas'
import { seededRandom } from '@fadump-lab/shared/runtime'
import { toHex } from '@fadump-lab/shared/units'
import { testKeys } from '../support/keys.ts'
import { openInProcessRoom, routesOf, type Host, type InProcessRoom } from './in-process-room.ts'

/** What one way has brought. */
interface Seen {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Headers of HTTP's framing, and the length that fastify tells of a body that is there as a whole. */
const framing: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'date',
  'keep-alive',
  'transfer-encoding',
])

async function seen(reply: Reply): Promise<Seen> {
  const headers = [...reply.headers].filter(([name]) => !framing.has(name))
  return {
    status: reply.status,
    headers: Object.fromEntries(headers.toSorted(([a], [b]) => a.localeCompare(b))),
    body: toHex(await reply.bytes()),
  }
}

const hosts = Object.keys(routesOf) as Host[]
const rows = hosts.flatMap((host) =>
  Object.values<Route>(routesOf[host]).map((route) => ({ host, route })),
)
/** More than that is not sent to see it refused. */
const bodyMax = 1_048_576

const pathOf = (route: Route, value: string) =>
  route.path.replace(/:[a-z]+/g, value).replace('*', 'kernel/fadump_registered')

/** A request of `method` to `path` with `headers`, and what it sends. */
interface Asked {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

function authorized(route: Route, name?: CallerName): Record<string, string> {
  const [caller, proof] = Object.entries(route.access.callers ?? {})[0] ?? []
  const secret = testKeys.secrets[name ?? (caller as CallerName | undefined) ?? 'monitor']
  const token = dumpToken(testKeys.dumpKey, { dump: 'no-thing-00ff-1', epoch: 1 })
  return {
    authorization: `Bearer ${secret}`,
    'content-type': 'application/json',
    'x-correlation-id': 'asked-1',
    ...(proof === 'dump-token' ? { 'x-dump-token': token } : {}),
  }
}

/** Requests that are refused, whatever there is. */
function badRequests(route: Route): readonly Asked[] {
  const path = pathOf(route, 'no-thing')
  const good = authorized(route)
  const stranger = newSecret('service', seededRandom(9))
  const { authorization: _authorization, ...anonymous } = good
  const strangers = [
    anonymous,
    { ...good, authorization: `Bearer ${stranger}` },
    { ...good, authorization: 'Basic YWRtaW46YWRtaW4=' },
    authorized(route, 'monitor'),
    { ...good, 'x-dump-token': 'nonsense' },
    { ...good, traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
  ]
  const body = '{"unknown":1}'
  const queries = [
    'epoch=1',
    'epoch=x',
    'epoch=-1',
    'epoch=1&epoch=2',
    'unknown=%zz+a',
    '=&&',
    'epoch',
    'id=i1',
  ]
  const bodies = ['{', 'null', '[]', '{"epoch":"x"}', 'ÿ', '\0'.repeat(bodyLimit(route) + 1)]
  return [
    ...strangers.map((headers) => ({ path, headers, body })),
    ...queries.map((query) => ({ path: `${path}?${query}`, headers: good, body })),
    ...bodies.map((text) => ({ path, headers: good, body: text })),
    { path: pathOf(route, 'x'.repeat(256)), headers: good, body },
    { path: pathOf(route, 'UPPER_case.~1'), headers: good, body },
  ]
}

/** Bytes that the body of a route may have; small where any body is ignored. */
function bodyLimit({ body }: Route): number {
  if (body === undefined || body.kind === 'none' || body.kind === 'stream') return 1
  return Math.min(bodyMax, body.maxBytes ?? 1024 * 1024)
}

const initOf = ({ method }: Route, { headers, body }: Asked): RequestInit => ({
  method,
  headers,
  ...(method === 'GET' || body === undefined ? {} : { body }),
})

suite('a service asked within the process', () => {
  test('refuses on every route what it refuses over HTTP, in the same words', async () => {
    await using room = await openInProcessRoom()
    const statuses = new Set<number>()
    for (const { host, route } of rows) {
      for (const asked of badRequests(route)) {
        const init = initOf(route, asked)
        const overHttp = await seen(await fetch(`${room.urls[host]}${asked.path}`, init))
        const within = await seen(await room.fetch(`http://${host}${asked.path}`, init))
        const what = `${route.method} ${asked.path.slice(0, 80)} ${asked.body?.slice(0, 20)}`
        assert.deepEqual(within, overHttp, what)
        statuses.add(overHttp.status)
      }
    }
    for (const status of [400, 401, 403, 404, 413, 415])
      assert.ok(statuses.has(status), `${status}`)
  })

  test('answers every plain path of every route itself', async () => {
    await using room = await openInProcessRoom()
    const health = hosts.flatMap((host) =>
      Object.values<Route>(healthRoutes).map((route) => ({ host, route })),
    )
    for (const { host, route } of [...rows, ...health]) {
      const asked = (path: string) =>
        room.services[host].inProcess?.exchange({
          method: route.method,
          path,
          query: '',
          headers: new Map(),
          body: new Uint8Array(0),
          signal: undefined,
        })
      assert.notEqual(await asked(pathOf(route, 'no-thing')), undefined, route.path)
      assert.equal(asked(`${pathOf(route, 'no-thing')}/`), undefined)
      if (route.path.includes(':')) assert.equal(asked(pathOf(route, 'no%20thing')), undefined)
    }
  })

  test('says how it is as it does over HTTP', async () => {
    await using room = await openInProcessRoom()
    for (const host of hosts) {
      for (const path of ['/livez', '/readyz']) {
        const init = { headers: { 'x-correlation-id': 'asked-1' } }
        const overHttp = await seen(await fetch(`${room.urls[host]}${path}`, init))
        const within = await seen(await room.fetch(`http://${host}${path}`, init))
        assert.deepEqual(within, overHttp, `${host} ${path}`)
        assert.equal(within.status, 200)
      }
    }
  })

  test('leaves to fastify what is not plain: escapes, unknown paths, other methods', async () => {
    await using room = await openInProcessRoom()
    const headers = authorized(hypervisorRoutes.getPartition)
    for (const [method, path] of [
      ['GET', '/partitions/no%20thing'],
      ['GET', '/partitions/%zz'],
      ['GET', '/partitions//'],
      ['GET', '/partitions/no-thing/'],
      ['GET', `/partitions/${'x'.repeat(257)}`],
      ['GET', '/nowhere'],
      ['DELETE', '/partitions'],
      ['DELETE', '/livez'],
    ] as const) {
      const init = { method, headers }
      const overHttp = await seen(await fetch(`${room.urls.hypervisor}${path}`, init))
      const within = await seen(await room.fetch(`http://hypervisor${path}`, init))
      assert.deepEqual(within, overHttp, `${method} ${path}`)
    }
  })

  test('does what it is asked over HTTP, and says the same about it', async () => {
    await using one = await openInProcessRoom()
    await using other = await openInProcessRoom()
    const overHttp = recorder((input, init) => {
      const url = urlOf(input)
      return fetch(`${one.urls[url.hostname as Host]}${url.pathname}${url.search}`, init)
    })
    const within = recorder(other.fetch)
    await live(one, overHttp.fetch)
    await live(other, within.fetch)
    assert.deepEqual(within.seen.map(withoutBlocks), overHttp.seen.map(withoutBlocks))
    assert.ok(overHttp.seen.length > 40)
    for (const { what, status } of overHttp.seen) assert.ok(status < 300, `${what}: ${status}`)
  })
})

const urlOf = (input: Parameters<Fetch>[0]) => new URL(input instanceof Request ? input.url : input)

/** How much of a disk a file takes is for its file system to say. */
function withoutBlocks(of: Seen): Seen {
  const text = Buffer.from(of.body, 'hex').toString('latin1')
  return { ...of, body: text.replace(/"storedBytes":\d+/g, '"storedBytes":0') }
}

/** A network on which all that comes back is kept. */
function recorder(network: Fetch): {
  readonly fetch: Fetch
  readonly seen: (Seen & { readonly what: string })[]
} {
  const kept: (Seen & { readonly what: string })[] = []
  return {
    seen: kept,
    fetch: async (input, init) => {
      const reply = await seen(await network(input, init))
      kept.push({ what: `${init?.method} ${urlOf(input).href}`, ...reply })
      const body = reply.status === 204 ? null : Buffer.from(reply.body, 'hex')
      return new Response(body, { status: reply.status, headers: reply.headers })
    },
  }
}

/** Frames, two partitions, a crash, its dump: what people and services ask of a room that works. */
async function live(room: InProcessRoom, network: Fetch): Promise<void> {
  const clientOf = <H extends Host>(host: H): Client<(typeof routesOf)[H]> =>
    createClient(routesOf[host], {
      baseUrl: `http://${host}`,
      fetch: network,
      authorize: asDeclared(testKeys, () => claim),
    })
  const claim = { dump: 'none', epoch: 0 }
  const [hypervisor, kernel, collector] = [
    clientOf('hypervisor'),
    clientOf('kernel'),
    clientOf('collector'),
  ]
  const params = { partition: 'p1' }
  const inventory = { correlationId: 'live-1' }
  await hypervisor.createFrame({
    ...inventory,
    body: { id: 'f2', memoryBytes: 2 ** 32, processors: 4 },
  })
  await hypervisor.listFrames(inventory)
  await hypervisor.getFrame({ ...inventory, params: { frame: 'f2' } })
  await hypervisor.deleteFrame({ ...inventory, params: { frame: 'f2' } })
  await hypervisor.listImages(inventory)
  const form = { memoryBytes: 2 ** 30, content: { seed: 1, populatedBytes: 65_536 } }
  for (const id of ['p1', 'p2']) {
    await hypervisor.createPartition({ ...inventory, body: { id, processors: 2, ...form } })
  }
  await hypervisor.deletePartition({ ...inventory, params: { partition: 'p2' } })
  await hypervisor.activatePartition({ ...inventory, params })
  await room.settle()
  const { epoch } = await hypervisor.getPartition({ ...inventory, params })
  const here = { ...inventory, params }
  await hypervisor.listPartitions(inventory)
  await hypervisor.getDeviceTree(here)
  await hypervisor.getVcpus(here)
  const display = { token: rtasToken('ibm,configure-kernel-dump'), args: [2, 0, 0], returnCount: 1 }
  await hypervisor.rtasCall({ ...here, query: { epoch }, body: encodeRtasCall(display) })
  const file = (path: string) => ({ ...inventory, params: { ...params, '*': path } })
  for (const body of ['0', '1']) {
    await kernel.writeFile({ ...file('kernel/fadump_registered'), body })
  }
  await kernel.readFile(file('kernel/fadump_registered'))
  for (const name of ['cmdline', 'kmsg', 'meminfo', 'version']) {
    await kernel.readProc({ ...inventory, params: { ...params, file: name } })
  }
  await kernel.rehearse({ ...here, body: {} })
  const fault = { name: 'hpte-error' } as const
  await hypervisor.armFirmwareFault({ ...here, body: fault })
  await hypervisor.listFirmwareFaults(here)
  await hypervisor.disarmFirmwareFaults(here)
  await kernel.crash({ ...here, body: { cause: 'sysrq' } })
  await room.settle()
  const after = await hypervisor.getPartition(here)
  Object.assign(claim, { dump: after.pendingDump, epoch: after.epoch })
  await kernel.readCaptureMemory(here)
  await drained(kernel.readVmcore({ ...here, headers: { range: 'bytes=100-70000' } }))
  await drained(kernel.readVmcore({ ...here, headers: { accept: flattenedMedia } }))
  await drained(kernel.readVmcoreManifest(here))
  for (const structure of ['fdm', 'regsave', 'crash-info', 'fdt']) {
    await hypervisor.getStructure({ ...inventory, params: { ...params, structure } })
  }
  await room.collect()
  await room.settle()
  await collector.listDumps(inventory)
  const dump = { ...inventory, params: { dump: claim.dump } }
  await collector.getDump(dump)
  await drained(collector.getDumpManifest(dump))
  await drained(collector.downloadVmcore({ ...dump, headers: { range: 'bytes=0-99' } }))
  await collector.pinDump(dump)
  await collector.unpinDump(dump)
  await collector.deleteDump(dump)
  for (const action of ['reboot', 'power-off'] as const) {
    await kernel.shutdown({ ...here, body: { action } })
    await room.settle()
  }
  for (const act of ['activatePartition', 'restartPartition', 'killPartition'] as const) {
    await hypervisor[act](here)
    await room.settle()
  }
  await hypervisor.migratePartition(here)
  await hypervisor.powerOffPartition(here)
  await hypervisor.deletePartition(here)
}

async function drained(reply: Promise<{ readonly body: AsyncIterable<Uint8Array> }>) {
  for await (const _piece of (await reply).body) continue
}
