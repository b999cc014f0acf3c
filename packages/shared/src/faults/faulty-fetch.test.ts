import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { flattenedMedia, ndjsonMedia } from '../contracts/index.ts'
import { flattenedEnd, flattenedHeader, flattenedRecord } from '../elf/index.ts'
import type { Fetch } from '../http/index.ts'
import { concat } from '../units/index.ts'
import { faultyFetch } from './faulty-fetch.ts'
import { silenceMsMax } from './silence.ts'
import { armedTools } from './testing/armed-tools.ts'

const vmcore = 'http://kernel/partitions/p1/proc/vmcore?epoch=1'
const bytes: Uint8Array = Uint8Array.from({ length: 40_000 }, (_, index) => index & 0xff)

/** A network on which every request is served with `body`, in pieces of 1000 bytes. */
function serving(body: Uint8Array, media = 'application/octet-stream') {
  const served: unknown[] = []
  const network: Fetch = async (input) => {
    served.push(input)
    const pieces = Array.from({ length: Math.ceil(body.byteLength / 1000) }, (_, index) =>
      body.slice(index * 1000, (index + 1) * 1000),
    )
    return new Response(ReadableStream.from(pieces), { headers: { 'content-type': media } })
  }
  return { network, served }
}

const setUp = (form: object, body = bytes, media?: string) => {
  const armed = armedTools('dump-collector', form)
  const { network, served } = serving(body, media)
  return { ...armed, served, fetch: faultyFetch(network, armed.tools) }
}

/** What a reader gets, and what ends it. */
async function readAll(
  body: AsyncIterable<Uint8Array> | null,
): Promise<{ readonly got: Uint8Array; readonly error?: unknown }> {
  const parts: Uint8Array[] = []
  try {
    for await (const part of body ?? []) parts.push(part)
    return { got: concat(parts) }
  } catch (error) {
    return { got: concat(parts), error }
  }
}

const codeOf = (error: unknown) =>
  error instanceof TypeError && error.cause instanceof Error && 'code' in error.cause
    ? error.cause.code
    : error

suite('a network with faults', () => {
  test('a refused connection was never served, and the next one is', async () => {
    const { fetch, served, struck } = setUp({ name: 'connection-refused' })
    await assert.rejects(fetch(vmcore), (error) => codeOf(error) === 'ECONNREFUSED')
    assert.deepEqual(served, [])
    assert.deepEqual((await readAll((await fetch(vmcore)).body)).got, bytes)
    assert.deepEqual(struck(), [1])
  })

  for (const [name, media] of [
    ['stream-duplicated', flattenedMedia],
    ['stream-reordered', flattenedMedia],
    ['stream-duplicated', ndjsonMedia],
    ['bit-flip', flattenedMedia],
    ['stream-truncated', flattenedMedia],
  ] as const) {
    test(`${name} in ${media}: a reader that stops early lets go of the connection`, async () => {
      const { tools, struck } = armedTools('dump-collector', { name, value: 1 })
      const whole = media === ndjsonMedia ? lines('a', 'b', 'c', 'd') : flattened(0, 1, 2, 3)
      const open = { isOpen: true }
      const network: Fetch = async () => {
        const cancel = () => void (open.isOpen = false)
        const pull = (given: ReadableStreamDefaultController<Uint8Array>) => given.enqueue(whole)
        return new Response(new ReadableStream({ pull, cancel }), {
          headers: { 'content-type': media },
        })
      }
      const { body } = await faultyFetch(network, tools)(vmcore)
      let pieces = 0
      for await (const _piece of body ?? []) if ((pieces += 1) === 3) break
      assert.deepEqual(struck(), [1])
      assert.equal(open.isOpen, false)
    })
  }

  test('a connection that breaks before the reply was served', async () => {
    const { fetch, served } = setUp({ name: 'connection-reset' })
    await assert.rejects(fetch(vmcore), (error) => codeOf(error) === 'ECONNRESET')
    assert.equal(served.length, 1)
  })

  for (const at of [1, 999, 1000, 1001, 39_999]) {
    test(`a connection that breaks at byte ${at} has brought all before it`, async () => {
      const { fetch, struck, told } = setUp({ name: 'connection-reset', value: at })
      const { got, error } = await readAll((await fetch(vmcore)).body)
      assert.deepEqual(got, bytes.subarray(0, at))
      assert.equal(codeOf(error), 'ECONNRESET')
      assert.deepEqual(struck(), [1])
      assert.deepEqual(await told(), ['GET /partitions/p1/proc/vmcore'])
    })

    test(`a stream cut at byte ${at} ends as if that were all`, async () => {
      const { fetch } = setUp({ name: 'stream-truncated', value: at })
      assert.deepEqual(await readAll((await fetch(vmcore)).body), { got: bytes.subarray(0, at) })
    })

    test(`a flipped bit changes byte ${at} and no other`, async () => {
      const { fetch } = setUp({ name: 'bit-flip', value: at })
      const { got } = await readAll((await fetch(vmcore)).body)
      const different = [...got.keys()].filter((index) => got[index] !== bytes[index])
      assert.deepEqual(different, [at])
      assert.equal(got[at], (bytes[at] ?? 0) ^ 1)
    })
  }

  test('a stream that ends before the byte goes through, and the fault is not spent', async () => {
    for (const name of ['connection-reset', 'stream-truncated', 'bit-flip', 'half-open']) {
      const { fetch, struck } = setUp({ name, value: bytes.byteLength })
      assert.deepEqual(await readAll((await fetch(vmcore)).body), { got: bytes }, name)
      assert.deepEqual(struck(), [0], name)
    }
  })

  test('a half-open connection is silent until whoever waits gives it up', async () => {
    const { fetch, struck } = setUp({ name: 'half-open', value: 1500 })
    const patience = new AbortController()
    const reading = readAll((await fetch(vmcore, { signal: patience.signal })).body)
    const first = await Promise.race([reading, new Promise((done) => setImmediate(done, 'silent'))])
    assert.equal(first, 'silent')
    patience.abort(new Error('enough'))
    const { got, error } = await reading
    assert.deepEqual(got, bytes.subarray(0, 1500))
    assert.equal(error instanceof Error && error.message, 'enough')
    assert.deepEqual(struck(), [1])
  })

  test('a half-open connection that nobody gives up ends when fetch would give it up', async () => {
    const { fetch, clock } = setUp({ name: 'half-open' })
    const before = clock.now()
    const asked = clock.runUntil(fetch(vmcore))
    await assert.rejects(asked, (error) => codeOf(error) === 'UND_ERR_BODY_TIMEOUT')
    assert.equal(clock.now() - before, silenceMsMax)
  })

  test('latency delays the request by its value, and breaks off with the request', async () => {
    const { fetch, clock, served } = setUp({ name: 'latency', value: 750, times: 2 })
    const before = clock.now()
    await clock.runUntil(fetch(vmcore))
    assert.equal(clock.now() - before, 750)
    const signal = AbortSignal.abort(new Error('enough'))
    await assert.rejects(fetch(vmcore, { signal }), /enough/)
    assert.equal(served.length, 1)
  })

  test('a slow reader pauses before each piece and takes all of them', async () => {
    const { fetch, clock } = setUp({ name: 'slow-reader', value: 10 })
    const before = clock.now()
    const reading = fetch(vmcore).then((reply) => readAll(reply.body))
    assert.deepEqual((await clock.runUntil(reading)).got, bytes)
    assert.equal(clock.now() - before, 400)
  })

  test('a slow sender sends little pieces, late, and all of them', async () => {
    const { fetch, clock } = setUp(
      { name: 'slow-sender', value: 10 },
      new Uint8Array(20_000).fill(7),
    )
    const before = clock.now()
    const reading = fetch(vmcore).then((reply) => readAll(reply.body))
    assert.deepEqual((await clock.runUntil(reading)).got, new Uint8Array(20_000).fill(7))
    assert.equal(clock.now() - before, 200)
  })

  test('a refusal is nobody’s stream: faults of streams let it pass', async () => {
    const armed = armedTools('dump-collector', { name: 'bit-flip', value: 1 })
    const refusing: Fetch = async () => new Response('refused', { status: 409 })
    const reply = await faultyFetch(refusing, armed.tools)(vmcore)
    assert.equal(await reply.text(), 'refused')
    assert.deepEqual(armed.struck(), [0])
  })
})

const record = (offset: bigint, text: string) =>
  concat([flattenedRecord(offset, text.length), new TextEncoder().encode(text)])
const records = [record(0n, 'first'), record(4096n, 'second'), record(8192n, 'third')]
const flattened = (...order: readonly number[]): Uint8Array =>
  concat([flattenedHeader(), ...order.flatMap((index) => records[index] ?? []), flattenedEnd()])
const lines = (...order: readonly string[]) =>
  new TextEncoder().encode(order.map((line) => `${line}\n`).join(''))

/** Fault, media type, what is sent, what arrives. */
const orders: readonly (readonly [
  name: string,
  value: number,
  media: string,
  sent: Uint8Array,
  got: Uint8Array,
])[] = [
  ['stream-duplicated', 2, flattenedMedia, flattened(0, 1, 2), flattened(0, 1, 1, 2)],
  ['stream-reordered', 1, flattenedMedia, flattened(0, 1, 2), flattened(1, 0, 2)],
  ['stream-duplicated', 1, ndjsonMedia, lines('a', 'b', 'c'), lines('a', 'b', 'b', 'c')],
  ['stream-reordered', 1, ndjsonMedia, lines('a', 'b', 'c'), lines('a', 'c', 'b')],
]

suite('order within a stream', () => {
  for (const [name, value, media, sent, got] of orders) {
    test(`${name} ${value} of ${media}`, async () => {
      const { fetch, struck } = setUp({ name, value }, sent, media)
      assert.deepEqual(await readAll((await fetch(vmcore)).body), { got })
      assert.deepEqual(struck(), [1])
    })
  }

  test('a stream with too few records goes through, and the fault is not spent', async () => {
    for (const name of ['stream-duplicated', 'stream-reordered']) {
      const { fetch, struck } = setUp({ name, value: 99 }, flattened(0, 1), flattenedMedia)
      assert.deepEqual((await readAll((await fetch(vmcore)).body)).got, flattened(0, 1))
      assert.deepEqual(struck(), [0])
    }
  })
})
