/** `./lab explain` on running partitions: what is printed comes through the public REST API. */
import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildHmcApi, Sessions, Users, usersInMemory } from '@fadump-lab/hmc-api'
import { collectorRoutes, hmcRoutes } from '@fadump-lab/shared/contracts'
import { diffStructures } from '@fadump-lab/shared/explain'
import { createClient, listen } from '@fadump-lab/shared/http'
import { bearer } from '@fadump-lab/shared/identity'
import { createHeapEventLog } from '@fadump-lab/shared/queue'
import { seededRandom, systemClock } from '@fadump-lab/shared/runtime'
import { createLogger, createMetrics } from '@fadump-lab/shared/telemetry'
import { dispatch } from '../../scripts/lab/dispatch.ts'
import { explainCommand } from '../../scripts/lab/explain/row.ts'
import { leaveToken } from '../../scripts/lab/token-file.ts'
import { testKeys } from '../support/keys.ts'
import { startRoomWithoutCollector, type PartialRoom } from '../support/room-without-collector.ts'
import { startRoom, type Room } from '../support/room.ts'

const GiB = 2 ** 30

/** A console, and a token that it gave. */
interface Address {
  readonly url: string
  readonly token: string
}

async function explain({ url, token }: Address, ...words: string[]) {
  const directory = await mkdtemp(join(tmpdir(), 'fadump-explain-'))
  await using _files = { [Symbol.asyncDispose]: () => rm(directory, { recursive: true }) }
  const tokenFile = join(directory, 'token')
  await leaveToken(tokenFile, token)
  const lines: string[] = []
  const errors: string[] = []
  const code = await dispatch(['explain', ...words, '--api', url, '--token-file', tokenFile], {
    commands: { explain: explainCommand((line) => lines.push(line)) },
    out: (line) => lines.push(line),
    error: (line) => errors.push(line),
  })
  return { code, text: lines.join('\n'), errors: errors.join('\n') }
}

/** A console in front of a room whose partitions stay in their capture kernels. */
async function consoleOf(room: PartialRoom) {
  const events = createHeapEventLog()
  const sessions = new Sessions({ clock: systemClock, random: seededRandom(2), ttlMs: 3_600_000 })
  const service = await buildHmcApi({
    identity: testKeys.identityOf('hmc-api'),
    users: await Users.open(usersInMemory(), seededRandom(3)),
    sessions,
    hypervisor: room.hypervisor,
    kernel: room.kernel,
    collector: createClient(collectorRoutes, { baseUrl: 'http://127.0.0.1:9' }),
    events,
    clock: systemClock,
    random: seededRandom(1),
    logger: createLogger({ service: 'hmc-api', level: 'silent' }),
    metrics: createMetrics({ processMetrics: false }),
    jobTimeoutMs: 60_000,
  })
  const url = await listen(service.app, { host: '127.0.0.1', port: 0 })
  const { token } = sessions.open({ name: 'olga', role: 'operator' })
  return { url, token, [Symbol.asyncDispose]: () => service[Symbol.asyncDispose]() }
}

const addressOf = (room: Room): Address => ({
  url: room.urls.console,
  token: room.tokenFor('operator'),
})

suite('the structures of a running partition', () => {
  for (const [profile, magic, length] of [
    ['v5', 'FADMPINF', 'pt_regs of 352 bytes'],
    ['modern', 'FADMPSIG', 'pt_regs_sz'],
  ] as const) {
    test(`of ${profile}: registered, then with the results and registers of a dump`, async () => {
      await using room = await startRoomWithoutCollector()
      await using api = await consoleOf(room)
      const routes = createClient(hmcRoutes, { baseUrl: api.url, authorize: bearer(api.token) })
      await room.boot({ id: 'p', memoryBytes: GiB, processors: 3, profile })

      const registered = await explain({ ...api, url: `${api.url}/v1` }, 'fdm', 'p')
      assert.equal(registered.errors, '')
      assert.match(registered.text, /no dump has been taken[\s\S]*sections\[0\]: CPU state data/)
      const waiting = await explain(api, 'crash-info', 'p')
      assert.match(waiting.text, new RegExp(`"${magic}"[\\s\\S]*no CPU has crashed yet`))
      assert.match(waiting.text, new RegExp(length))
      const early = await explain(api, 'regsave', 'p')
      assert.equal(early.code, 66)
      assert.match(early.errors, /registration of partition p is registered; .* to be active$/)
      const params = { partition: 'p', structure: 'fdm' } as const
      const before = await routes.getStructure({ params })

      await room.crash('p')
      const differing = diffStructures('fdm', before, await routes.getStructure({ params }))
      assert.match(differing[0] ?? '', /^dump_status_flag: 0x0000 .* ≠ 0xc000 \(dump performed/)
      for (const line of differing.slice(1)) assert.match(line, /\.bytes_dumped: .*\(all of it\)$/)
      const saved = await explain(api, 'regsave', 'p', '--cpu', '2')
      assert.equal(saved.errors, '')
      assert.match(saved.text, /CPU 2, number 3 of 3: 329 registers[\s\S]*pt_regs\.nip of Linux/)
      assert.match((await explain(api, 'crash-info', 'p')).text, /CPU 0 crashed/)
      const tree = await explain(api, 'fdt', 'p')
      assert.match(tree.text, /\/rtas\n[\s\S]*ibm,kernel-dump +\d+ bytes, told below/)
    })
  }

  test('of a dump that is stored, the vmcore is explained by its headers and notes', async () => {
    await using room = await startRoom()
    await room.api.boot({ id: 'p', memoryBytes: GiB, processors: 2, profile: 'modern' })
    const none = await explain(addressOf(room), 'elf', 'p')
    assert.equal(none.code, 66)
    assert.match(none.errors, /partition p has no dump: crash it first$/)
    await room.api.crash('p')
    const { code, text, errors } = await explain(addressOf(room), 'elf', 'p')
    assert.equal(errors, '')
    assert.equal(code, 0)
    assert.match(text, /PT_NOTE[\s\S]*NT_PRSTATUS 1, at [\s\S]*CRASHTIME +\d+/)
  })

  test('of no partition, or one that is off, end with 66', async () => {
    await using room = await startRoom()
    await room.api.routes.createPartition({ body: { id: 'p', memoryBytes: GiB, processors: 1 } })
    const nobody = await explain(addressOf(room), 'fdm', 'nobody')
    assert.equal(nobody.code, 66)
    assert.match(nobody.errors, /there is no partition nobody$/)
    const off = await explain(addressOf(room), 'fdt', 'p')
    assert.equal(off.code, 66)
    assert.match(off.errors, /partition p is not-activated; a device tree needs it to be /)
    const unnamed = await explain(addressOf(room), 'fdm', '../p')
    assert.equal(unnamed.code, 64)
  })

  test('a console answers refusals of structures as problems', async () => {
    await using room = await startRoom()
    await room.api.routes.createPartition({ body: { id: 'p', memoryBytes: GiB, processors: 1 } })
    const read = async (path: string) => {
      const response = await fetch(`${room.urls.console}/v1/partitions/${path}`, {
        headers: room.headers,
      })
      return [response.status, ((await response.json()) as { type: string }).type]
    }
    assert.deepEqual(await read('p/structures/fdm'), [409, '/problems/wrong-state'])
    assert.deepEqual(await read('p/structures/fdt'), [409, '/problems/wrong-state'])
    assert.deepEqual(await read('nobody/structures/fdm'), [404, '/problems/not-found'])
    assert.deepEqual(await read('p/structures/memory'), [400, '/problems/invalid-request'])
  })
})
