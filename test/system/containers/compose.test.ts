/** `docker compose up` as a user runs it: how soon, how safe, and what is left when it is gone. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { mkdtempDisposable } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import test, { suite } from 'node:test'
import { promisify } from 'node:util'
import { startContainerRoom, type ContainerRoom } from '../../support/containers.ts'
import { locate, repositoryRoot, without } from '../../support/tools.ts'

const run = promisify(execFile)
const GiB = 2 ** 30
const timeout = 600_000
const applications = ['hypervisor', 'lpar-kernel', 'dump-collector', 'hmc-api'] as const
const servers = ['redis-memory', 'redis-control'] as const

suite('docker compose up', { skip: without('docker', 'readelf'), timeout }, () => {
  test('the machine room in containers', { timeout }, async (t) => {
    const started = performance.now()
    await using room = await startContainerRoom()
    const up = performance.now()
    t.diagnostic(`healthy after ${seconds(up - started)} s, build included`)

    await t.test('gives a verified vmcore that readelf reads', async (t) => {
      await room.api.boot({ id: 'p1', memoryBytes: GiB, processors: 4 })
      const dump = await room.api.crash('p1')
      assert.equal(dump.status, 'complete')
      await using directory = await mkdtempDisposable(join(tmpdir(), 'fadump-compose-'))
      const file = join(directory.path, 'vmcore')
      await download(room, dump.id, file)
      const whole = performance.now() - started
      t.diagnostic(`first vmcore on disk ${seconds(whole)} s after the start; the bar is 60 s`)
      const { stdout } = await run(locate('readelf'), ['-hln', file])
      assert.match(stdout, /Type: +CORE/)
      assert.match(stdout, /Machine: +PowerPC64/)
      assert.equal([...stdout.matchAll(/NT_PRSTATUS/g)].length, 4)
      assert.match(stdout, /VMCOREINFO/)
    })

    await t.test('runs without root, capabilities, a writable root or new privileges', async () => {
      for (const service of [...applications, ...servers]) await checkHardening(room, service)
    })

    await t.test('publishes the console on loopback, and nothing else', async () => {
      for (const service of [...applications, ...servers]) {
        const ports = await room.inspect(
          room.container(service),
          '{{range $p, $b := .NetworkSettings.Ports}}{{range $b}}{{.HostIp}} {{end}}{{end}}',
        )
        assert.equal(ports, service === 'hmc-api' ? '127.0.0.1' : '', service)
      }
    })

    await t.test('keeps its secrets out of environments, logs, images and job data', () =>
      checkSecrets(room),
    )

    await t.test('answers what Prometheus will ask, by the monitor’s credential only', () =>
      checkMetrics(room),
    )

    await t.test('is a valid configuration with every profile', async () => {
      const profiles = ['--profile', 'capture-cgroup', '--profile', 'observability']
      const where = ['--project-directory', repositoryRoot]
      const { stdout } = await room.docker('compose', ...where, ...profiles, 'config', '--services')
      const names = stdout.trim().split('\n')
      for (const name of ['capture-256', 'capture-320', 'prometheus', 'grafana']) {
        assert.ok(names.includes(name), name)
      }
    })

    await t.test('holds each service to its own Redis user', () => checkUsers(room))

    await t.test('stops in time and in order', async () => {
      await room.stop()
      for (const service of applications) {
        assert.equal(
          await room.inspect(room.container(service), '{{.State.ExitCode}}'),
          '0',
          service,
        )
      }
    })

    await t.test('starts again with what must last: users, dumps and events', async () => {
      await room.up()
      const [dump] = await room.api.routes.listDumps({ query: {} })
      assert.equal(dump?.status, 'complete')
      const events = await room.api.routes.listEvents({ query: { limit: 1000 } })
      assert.ok(events.some(({ event }) => event.subject === dump?.id))
    })

    await t.test('leaves nothing behind after down -v', async () => {
      await room.down()
      assert.deepEqual(await room.remains(), [])
    })
  })
})

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1)
}

async function download(room: ContainerRoom, dump: string, file: string): Promise<void> {
  const headers = { authorization: `Bearer ${room.token}` }
  const reply = await fetch(`${room.url}/v1/dumps/${dump}/vmcore`, { headers })
  assert.equal(reply.status, 200)
  assert.ok(reply.body !== null)
  await pipeline(Readable.fromWeb(reply.body as never), createWriteStream(file))
}

async function checkHardening(room: ContainerRoom, service: string): Promise<void> {
  const format = [
    '{{.Config.User}}',
    '{{.HostConfig.ReadonlyRootfs}}',
    '{{.HostConfig.CapDrop}}',
    '{{.HostConfig.CapAdd}}',
    '{{.HostConfig.Privileged}}',
    '{{.HostConfig.SecurityOpt}}',
    '{{gt .HostConfig.Memory 0}}',
  ].join('|')
  const [user = '', ...rest] = (await room.inspect(room.container(service), format)).split('|')
  assert.match(user, /^(?:node|999:1000)$/)
  assert.deepEqual(rest, ['true', '[ALL]', '[]', 'false', '[no-new-privileges:true]', 'true'])
  const status = await room.exec(service, ['cat', '/proc/self/status'])
  assert.match(status, /^CapEff:\s+0+$/m)
  assert.match(status, /^CapBnd:\s+0+$/m)
  assert.match(status, /^NoNewPrivs:\s+1$/m)
  await assert.rejects(
    room.exec(service, ['sh', '-c', 'echo x > /app/x || echo x > /x']),
    /[Rr]ead-only/,
  )
}

/** Every secret of the room, by the container that holds it. */
async function secretsOf(room: ContainerRoom): Promise<readonly string[]> {
  const found: string[] = []
  for (const service of [...applications, ...servers]) {
    const files = 'cat /run/secrets/*.password /run/secrets/*.key 2>/dev/null || true'
    found.push(...(await room.exec(service, ['sh', '-c', files])).split('\n'))
  }
  return [...new Set(found)].filter((line) => line !== '')
}

async function checkSecrets(room: ContainerRoom): Promise<void> {
  const secrets = await secretsOf(room)
  assert.equal(
    secrets.length,
    14,
    'eight passwords of Redis, five keys and that of the administrator',
  )
  const logs = await room.logs()
  assert.match(logs, /"msg":"serving"/)
  const places: Record<string, string> = { logs }
  for (const service of [...applications, ...servers]) {
    places[`inspect ${service}`] = await room.inspect(room.container(service), '{{json .}}')
  }
  const files = 'cat /data/appendonlydir/*'
  places['append-only file'] = await room.exec('redis-control', ['sh', '-c', files])
  assert.match(places['append-only file'], /partitionUrl/, 'jobs have gone through it')
  for (const [place, text] of Object.entries(places)) {
    const leaked = [...secrets, room.token].filter((secret) => text.includes(secret))
    assert.deepEqual(leaked, [], place)
  }
  for (const service of applications) {
    const image = await room.inspect(room.container(service), '{{.Config.Image}}')
    const list = ['run', '--rm', '--network', 'none', '--entrypoint', 'sh', image]
    const { stdout } = await room.docker(...list, '-c', 'find /secrets /users /dumps -type f')
    assert.equal(stdout, '', `${image} holds no secret`)
  }
}

/** As deploy/observability/prometheus.yml has it: its user, its network, its secret. */
async function checkMetrics(room: ContainerRoom): Promise<void> {
  const image = await room.inspect(room.container('hmc-api'), '{{.Config.Image}}')
  const secrets = `${room.project}_monitor-secrets:/run/secrets:ro`
  const network = `${room.project}_machine-room`
  const from = ['--rm', '--network', network, '--user', '65534:1000', '-v', secrets, image]
  for (const service of applications) {
    const { stdout } = await room.docker('run', ...from, 'node', '-e', scrapeScript, service)
    const [status, metrics, refusal] = JSON.parse(stdout) as [number, string, number]
    assert.deepEqual([status, refusal], [200, 401], service)
    assert.match(metrics, /^process_resident_memory_bytes /m)
    assert.match(metrics, /^# TYPE fadump_/m)
  }
}

const scrapeScript = `
  const secret = require('fs').readFileSync('/run/secrets/credential.key', 'utf8').trim()
  const ask = (credentials) => fetch('http://' + process.argv[1] + ':8080/metrics', { headers: { authorization: 'Bearer ' + credentials } })
  ask(secret).then(async (told) => {
    const refused = await ask('x'.repeat(secret.length))
    console.log(JSON.stringify([told.status, await told.text(), refused.status]))
  })
`

/** What each service may not do, tried from its own container with its own password. */
const attempts: readonly (readonly [
  service: string,
  server: string,
  command: string,
  refusal: RegExp,
])[] = [
  ['dump-collector', 'redis-memory', 'GET memory:frames', /WRONGPASS/],
  ['hmc-api', 'redis-memory', 'GET memory:frames', /WRONGPASS/],
  [
    'lpar-kernel',
    'redis-memory',
    'SET memory:{server-1}:record:partition/p1:firmware {}',
    /NOPERM/,
  ],
  ['lpar-kernel', 'redis-memory', 'GET memory:{server-1}:record:partition/p1:firmware', /NOPERM/],
  ['lpar-kernel', 'redis-memory', 'FLUSHALL', /NOPERM/],
  ['lpar-kernel', 'redis-control', 'DEL events', /NOPERM/],
  ['hypervisor', 'redis-control', 'HGETALL {queue}:capture:meta', /NOPERM/],
  ['dump-collector', 'redis-control', 'HGETALL {queue}:ipl:meta', /NOPERM/],
  ['dump-collector', 'redis-control', 'XRANGE events - +', /NOPERM/],
  ['hmc-api', 'redis-control', 'LPUSH {queue}:capture:wait x', /NOPERM/],
]

const tryCommand = `
  const { Redis } = require('ioredis')
  const [server, username, ...command] = process.argv.slice(1)
  const read = (name) => require('fs').readFileSync('/run/secrets/' + name, 'utf8').trim()
  let password
  try { password = read(server + '.password') } catch { password = read('redis-control.password') }
  const redis = new Redis({ host: server, username, password, enableReadyCheck: false, maxRetriesPerRequest: 0, retryStrategy: () => null })
  redis.on('error', () => {})
  redis.call(...command).then((reply) => console.log('ALLOWED', reply), (error) => console.log(String(error))).finally(() => redis.disconnect())
`

async function checkUsers(room: ContainerRoom): Promise<void> {
  for (const [service, server, command, refusal] of attempts) {
    const script = ['node', '-e', tryCommand, server, service, ...command.split(' ')]
    assert.match(await room.exec(service, script), refusal, `${service}: ${command}`)
  }
  for (const server of servers) {
    const log = await room.redis(server, 'ACL', 'LOG')
    const attempted = new RegExp(`^(?:${applications.join('|')})$`, 'gm')
    const count = attempts.filter(([, at]) => at === server).length
    assert.ok(
      [...log.matchAll(attempted)].length <= count,
      'the services themselves were never refused',
    )
  }
}
