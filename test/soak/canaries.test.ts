/**
 * 10,000 secrets in the memory of partitions: after a whole crash, with logs at their most talkative and with refusals, they
 * are in the vmcore, and nowhere else.
 */
import assert from 'node:assert/strict'
import { createReadStream } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { suite } from 'node:test'
import { eventLogKey, queueKeyPrefix } from '@fadump-lab/shared/queue'
import { seededRandom } from '@fadump-lab/shared/runtime'
import { concat, fromAscii, toHex } from '@fadump-lab/shared/units'
import { Redis } from 'ioredis'
import { aVmcore } from '../../packages/shared/src/elf/core-builder.ts'
import { eventually } from '../support/eventually.ts'
import { startProcessRoom, type ProcessRoom } from '../support/processes.ts'
import { without } from '../support/tools.ts'

const MiB = 2 ** 20
const canaries = 10_000
/** One in each KiB of an image. */
const stride = 1024
const partitions = ['c1', 'c2']
const mark = 'CANARY'
const canaryCharacters = mark.length + 1 + 24
const canaryPattern = new RegExp(`${mark}-[0-9a-f]{24}`, 'g')

/** Hexadecimal digits of the seed: nothing else in the lab is like them. */
const secrets = (() => {
  const random = seededRandom(0xca4a)
  return Array.from({ length: canaries }, () => `${mark}-${random.hex(12)}`)
})()

/** How a secret can look where bytes are written as text: as it is, in hexadecimal digits, in base64 at any offset. */
const disguises = ['', ' ', '  '].map((lead) =>
  btoa(`${lead}${mark}-`).slice(lead.length === 0 ? 0 : 4, -4),
)
const hexadecimal = toHex(fromAscii(mark))

function found(text: string): string[] {
  const plain = [...text.matchAll(new RegExp(`${mark}-[0-9a-f]{4,24}`, 'g'))].map(([each]) => each)
  const hidden = [...disguises.filter((each) => each.length > 3), hexadecimal].filter((each) =>
    text.includes(each),
  )
  return [...plain, ...hidden].slice(0, 5)
}

suite('canaries', { skip: without('redis-server') }, () => {
  test('10,000 secrets of partition memory are in the dumps only', async () => {
    await using room = await startProcessRoom({ logLevel: 'trace' })
    const { api } = room
    const bytes = concat(secrets.map((secret) => fromAscii(secret.padEnd(stride, '\0'))))
    await api.routes.createImage({
      query: { id: 'image' },
      body: aVmcore({ loads: [{ physical: BigInt(MiB), bytes }] }),
    })
    const answers: string[] = []
    const jobs: string[] = []
    for (const id of partitions) {
      await api.boot({
        id,
        memoryBytes: 1024 * MiB,
        processors: 2,
        profile: 'modern',
        image: 'image',
      })
      answers.push(...(await refusals(room, id)))
      const { job, queued } = await crashWithoutCollector(room, id)
      jobs.push(queued)
      const { dump: dumpId = '' } = await api.done(job)
      const dump = await api.routes.getDump({ params: { dump: dumpId } })
      const held = await canariesIn(join(room.dumpRoot, id, dump.id, 'vmcore'))
      const missing = secrets.filter((secret) => !held.has(secret))
      assert.equal(
        missing.length,
        0,
        `${missing.length} canaries are missing in the vmcore of ${id}`,
      )
    }
    answers.push(JSON.stringify(await api.routes.listEvents({ query: { limit: 10_000 } })))
    answers.push(JSON.stringify(await api.routes.listJobs({})))
    const places = {
      logs: room.wholeLog(),
      answers: answers.join('\n'),
      metrics: await metrics(room),
      'jobs and events': `${jobs.join('\n')}\n${await control(room.redisUrl)}`,
      files: await besideVmcores(room.dumpRoot),
    }
    for (const [place, text] of Object.entries(places)) {
      assert.ok(text.length > 1000, `${place}: only ${text.length} characters to search`)
      assert.deepEqual(found(text), [], place)
    }
    assert.deepEqual(found(`… ${secrets[7]} …`).length, 1, 'the search finds what is there')
  })
})

/** A job leaves its queue when it is done: here it waits until it has been read. */
async function crashWithoutCollector(room: ProcessRoom, partition: string) {
  await room.kill('dump-collector')
  const job = await room.api.routes.crash({ params: { partition }, body: {} })
  let queued = ''
  await eventually('the capture job is there to be searched', async () => {
    queued = await control(room.redisUrl)
    return queued.includes('partitionUrl')
  })
  await room.start('dump-collector')
  return { job, queued }
}

/** All canaries of a file, read piece by piece; pieces overlap by one, so that none is cut. */
async function canariesIn(path: string): Promise<ReadonlySet<string>> {
  const all = new Set<string>()
  let tail = ''
  for await (const piece of createReadStream(path, { highWaterMark: MiB, encoding: 'latin1' })) {
    const text = `${tail}${String(piece)}`
    for (const [canary] of text.matchAll(canaryPattern)) all.add(canary)
    tail = text.slice(-canaryCharacters)
  }
  return all
}

/** What is told to those who ask for what they do not get. */
async function refusals(room: ProcessRoom, id: string): Promise<string[]> {
  const console = room.url('hmc-api')
  const headers = { authorization: `Bearer ${room.token()}`, 'content-type': 'application/json' }
  const asks = [
    [`/v1/partitions/${id}/structures/crash-info`, {}],
    [`/v1/partitions/${id}/proc/vmcore`, {}],
    [`/v1/partitions/${id}/workload`, { method: 'POST', body: '{"seed":1,"pages":1}' }],
    [`/v1/partitions/${id}/crash`, { method: 'POST', body: '{"cpu":4000}' }],
    [`/v1/partitions/${id}/sys/kernel/fadump_registered`, { method: 'PUT', body: '7' }],
    ['/v1/images?id=image', { method: 'POST', body: `\u007fELF${secrets[1]}` }],
  ] as const
  return Promise.all(
    asks.map(async ([path, init]) => {
      const response = await fetch(`${console}${path}`, { headers, ...init })
      return `${response.status} ${await response.text()} ${JSON.stringify([...response.headers])}`
    }),
  )
}

async function metrics(room: ProcessRoom): Promise<string> {
  const headers = { authorization: `Bearer ${room.keys.secrets.monitor}` }
  const names = ['hypervisor', 'lpar-kernel', 'dump-collector', 'hmc-api'] as const
  const texts = await Promise.all(
    names.map(async (name) => (await fetch(`${room.url(name)}/metrics`, { headers })).text()),
  )
  return texts.join('\n')
}

/** Queues and event log; partition memory itself is in other keys. */
async function control(url: string): Promise<string> {
  const redis = new Redis(url)
  try {
    const texts: string[] = []
    for (const key of await redis.keys('*')) {
      if (!key.startsWith(queueKeyPrefix) && !key.startsWith(eventLogKey)) continue
      const type = await redis.type(key)
      texts.push(key)
      if (type === 'hash') texts.push(JSON.stringify(await redis.hgetall(key)))
      if (type === 'stream') texts.push(JSON.stringify(await redis.xrange(key, '-', '+')))
      if (type === 'string') texts.push((await redis.get(key)) ?? '')
    }
    return texts.join('\n')
  } finally {
    redis.disconnect()
  }
}

/** Everything that the collector has written but vmcores: manifests, records, what an interrupted capture would leave. */
async function besideVmcores(root: string): Promise<string> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile() && entry.name !== 'vmcore')
  const texts = await Promise.all(
    files.map(({ parentPath, name }) => readFile(join(parentPath, name), 'latin1')),
  )
  return texts.join('\n')
}
