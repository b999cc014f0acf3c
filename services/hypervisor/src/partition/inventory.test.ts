import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { hypervisorRoutes, isProblem, Problem } from '@fadump-lab/shared/contracts'
import { asDeclared } from '@fadump-lab/shared/identity'
import { byteLength, GiB, KiB, MiB } from '@fadump-lab/shared/units'
import { eventually } from '../../../../test/support/eventually.ts'
import { testKeys } from '../../../../test/support/keys.ts'
import { aCrashedGuest } from '../testing/crashed-guest.ts'
import { aStartedGuest } from '../testing/guest.ts'
import { startHypervisor } from '../testing/started-hypervisor.ts'
import { v5Structure } from '../testing/structures.ts'

const small = { id: 'p1', memoryBytes: Number(64n * MiB), processors: 1 }

/** Four GiB and four processors. */
const smallFrame = {
  config: { defaultFrame: { id: 'server-1', memoryBytes: byteLength(4n * GiB), processors: 4 } },
}

suite('frames', () => {
  test('the first start makes the default frame; a later one finds it', async () => {
    await using first = await startHypervisor()
    const expected = {
      id: 'server-1',
      memoryBytes: 4_398_046_511_104n,
      processors: 2048,
      memoryBytesFree: 4_398_046_511_104n,
      processorsFree: 2048,
      partitions: 0,
    }
    assert.deepEqual(await first.client.listFrames({}), [expected])
    await first.stop()
    await using second = await startHypervisor({ ...first, ...smallFrame })
    assert.deepEqual(await second.client.getFrame({ params: { frame: 'server-1' } }), expected)
  })

  test('state what is free', async () => {
    await using host = await startHypervisor(smallFrame)
    await host.client.createPartition({
      body: { ...small, memoryBytes: Number(GiB), processors: 3 },
    })
    const frame = await host.client.getFrame({ params: { frame: 'server-1' } })
    assert.equal(frame.memoryBytesFree, 3n * GiB)
    assert.equal(frame.processorsFree, 1)
    assert.equal(frame.partitions, 1)
  })

  test('are created and deleted; one that holds a partition is in use', async () => {
    await using host = await startHypervisor()
    const body = { id: 'server-2', memoryBytes: Number(GiB), processors: 2 }
    await host.client.createFrame({ body })
    await assert.rejects(host.client.createFrame({ body }), { slug: 'already-exists' })
    await host.client.createPartition({ body: { ...small, frame: 'server-2' } })
    await assert.rejects(host.client.deleteFrame({ params: { frame: 'server-2' } }), (error) => {
      assert.ok(isProblem(error, 'in-use'))
      assert.match(error.message, /partition p1/)
      return true
    })
    await host.client.deletePartition({ params: { partition: 'p1' } })
    await host.client.deleteFrame({ params: { frame: 'server-2' } })
    await assert.rejects(host.client.getFrame({ params: { frame: 'server-2' } }), {
      slug: 'not-found',
    })
    assert.deepEqual(await host.store.listFrames(), ['server-1'])
  })

  test('with memory that is no multiple of 64 KiB are refused', async () => {
    await using host = await startHypervisor()
    for (const memoryBytes of [0, 65_535]) {
      const body = { id: 'server-2', memoryBytes, processors: 2 }
      await assert.rejects(host.client.createFrame({ body }), { slug: 'invalid-configuration' })
    }
  })
})

suite('what a frame cannot provide is refused with what was asked and what is free', () => {
  const cases = [
    [
      'memory',
      { memoryBytes: Number(4n * GiB + 64n * KiB) },
      { resource: 'memory', asked: 4_295_032_832, free: 4_294_967_296 },
      /4194368 KiB of memory asked for, 4 GiB of frame server-1 are free/,
    ],
    [
      'processors',
      { processors: 5 },
      { resource: 'processors', asked: 5, free: 4 },
      /5 processors asked for, 4 of frame server-1 are free/,
    ],
  ] as const
  for (const [what, change, extensions, detail] of cases) {
    test(what, async () => {
      await using host = await startHypervisor(smallFrame)
      await assert.rejects(
        host.client.createPartition({ body: { ...small, ...change } }),
        (error) => {
          assert.ok(error instanceof Problem)
          assert.equal(error.slug, 'insufficient-capacity')
          assert.equal(error.status, 507)
          assert.match(error.message, detail)
          assert.deepEqual(error.extensions, { ...extensions, status: 507 })
          return true
        },
      )
      assert.deepEqual(await host.client.listPartitions({}), [])
    })
  }

  test('two requests cannot both get the last of it', async () => {
    await using host = await startHypervisor(smallFrame)
    const outcomes = await Promise.allSettled(
      Array.from({ length: 8 }, (_, index) =>
        host.client.createPartition({
          body: { ...small, id: `p${index}`, memoryBytes: Number(GiB) },
        }),
      ),
    )
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 4)
    const frame = await host.client.getFrame({ params: { frame: 'server-1' } })
    assert.equal(frame.memoryBytesFree, 0n)
  })
})

suite('partitions', () => {
  test('start off, with a real mode area of 256 MiB or all of a smaller memory', async () => {
    await using host = await startHypervisor()
    const large = { ...small, id: 'p2', memoryBytes: Number(GiB) }
    assert.equal((await host.client.createPartition({ body: large })).rmaBytes, 256n * MiB)
    const created = await host.client.createPartition({ body: small, correlationId: 'c-1' })
    assert.deepEqual(created, {
      id: 'p1',
      frame: 'server-1',
      memoryBytes: 64n * MiB,
      processors: 1,
      profile: 'v5',
      bootArguments: 'fadump=on',
      rmaBytes: 64n * MiB,
      dumpOption: true,
      firmware: 'papr',
      dumpService: true,
      prstatusPids: 'truth',
      captureTarget: 'network',
      memoryHoles: [],
      addedMemory: [],
      kernelDefects: [],
      offlineCpus: [],
      state: 'not-activated',
      registration: 'idle',
      epoch: 0,
      crashes: 0,
      correlationId: 'c-1',
    })
    const ids = (await host.client.listPartitions({})).map(({ id }) => id)
    assert.deepEqual(ids, ['p1', 'p2'])
  })

  const refused: readonly [string, Readonly<Record<string, unknown>>, string, RegExp][] = [
    ['memory 0', { memoryBytes: 0 }, 'invalid-configuration', /multiple of 65536 .*, not 0$/],
    [
      'memory that is no multiple of 64 KiB',
      { memoryBytes: 65_537 },
      'invalid-configuration',
      /not 65537$/,
    ],
    ['no processors', { processors: 0 }, 'invalid-configuration', /1 to 4096, not 0$/],
    ['4097 processors', { processors: 4097 }, 'invalid-configuration', /not 4097$/],
    [
      'fewer processors at most than there are',
      { processors: 2, maximumProcessors: 1 },
      'invalid-configuration',
      /maximumProcessors must be from processors to 4096, not 1$/,
    ],
    [
      'half a core',
      { processors: 3, threadsPerCore: 2 },
      'invalid-configuration',
      /whole cores of threadsPerCore, not 3 threads of 2 a core$/,
    ],
    ['a real mode area of 0', { rmaBytes: 0 }, 'invalid-configuration', /rmaBytes .* not 0$/],
    [
      'a real mode area above memory',
      { rmaBytes: Number(128n * MiB) },
      'invalid-configuration',
      /not 134217728$/,
    ],
    [
      'boot arguments with a newline',
      { bootArguments: 'a\nb' },
      'invalid-configuration',
      /printable ASCII, not "a\\nb"$/,
    ],
    [
      'an offline CPU that does not exist',
      { offlineCpus: [1] },
      'invalid-configuration',
      /not 1 of 1$/,
    ],
    ['all CPUs offline', { offlineCpus: [0] }, 'invalid-configuration', /at least one CPU/],
    [
      'more content than memory',
      { content: { seed: 1, populatedBytes: Number(65n * MiB) } },
      'invalid-configuration',
      /populatedBytes/,
    ],
    ['a frame that is not there', { frame: 'nowhere' }, 'not-found', /no frame nowhere/],
    ['an image that is not there', { image: 'nothing' }, 'not-found', /no image nothing/],
    ['an id in capitals', { id: 'P1' }, 'invalid-request', /lower-case/],
    ['an unknown field', { colour: 'red' }, 'invalid-request', /colour/],
    ['a negative size', { memoryBytes: -1 }, 'invalid-request', /memoryBytes/],
    ['a size beyond 2^53', { memoryBytes: 2 ** 53 }, 'invalid-request', /memoryBytes/],
    ['memory beyond 64 TiB', { memoryBytes: 2 ** 47 }, 'invalid-configuration', /64 TiB/],
  ]
  for (const [what, change, slug, detail] of refused) {
    test(`with ${what} are refused: ${slug}`, async () => {
      await using host = await startHypervisor()
      const before = await host.store.usage('server-1')
      await assert.rejects(
        host.client.createPartition({ body: { ...small, ...change } }),
        (error) => {
          assert.ok(error instanceof Problem)
          assert.equal(error.slug, slug)
          assert.match(error.message, detail)
          return true
        },
      )
      assert.deepEqual(await host.client.listPartitions({}), [])
      assert.deepEqual(await host.store.usage('server-1'), before)
    })
  }

  test('of a taken id are refused, also in another frame: already-exists', async () => {
    await using host = await startHypervisor()
    await host.client.createFrame({
      body: { id: 'server-2', memoryBytes: Number(GiB), processors: 2 },
    })
    await host.client.createPartition({ body: small })
    const again = host.client.createPartition({ body: { ...small, frame: 'server-2' } })
    await assert.rejects(again, { slug: 'already-exists' })
  })

  test('of an unknown id: not-found from every operation', async () => {
    await using host = await startHypervisor()
    const nobody = { params: { partition: 'nobody' } }
    const { client } = host
    const calls: readonly (() => Promise<unknown>)[] = [
      () => client.getPartition(nobody),
      () => client.deletePartition(nobody),
      () => client.activatePartition(nobody),
      () => client.powerOffPartition(nobody),
      () => client.restartPartition(nobody),
      () => client.systemReset(nobody),
      () => client.getDeviceTree(nobody),
      () => client.getStructure({ params: { ...nobody.params, structure: 'fdm' } }),
      () => client.getVcpus(nobody),
      () => client.putVcpus({ ...nobody, body: { epoch: 0, vcpus: [] } }),
      () => client.reportBootProgress({ ...nobody, body: { epoch: 0, event: 'booted' } }),
    ]
    for (const call of calls) {
      await assert.rejects(call(), { slug: 'not-found', message: 'there is no partition nobody' })
    }
  })

  test('leave nothing behind when they are deleted', async () => {
    await using host = await startHypervisor()
    const before = await host.store.usage('server-1')
    const guest = await aStartedGuest(host)
    await guest.write(0n, new Uint8Array(200_000).fill(7))
    await host.client.powerOffPartition({ params: { partition: 'p1' } })
    await host.client.deletePartition({ params: { partition: 'p1' } })
    assert.deepEqual(await host.store.usage('server-1'), before)
    assert.deepEqual(await host.client.listPartitions({}), [])
  })

  test('an oversized body is refused before it is read whole: payload-too-large', async () => {
    await using host = await startHypervisor()
    const response = await fetch(`${host.url}/partitions`, {
      method: 'POST',
      headers: {
        ...asDeclared(testKeys)(hypervisorRoutes.createPartition),
        'content-type': 'application/json',
      },
      body: `{"id":"${'x'.repeat(2 * 1024 * 1024)}"}`,
    })
    assert.equal(response.status, 413)
  })

  test('are counted by state', async () => {
    await using host = await startHypervisor()
    await aStartedGuest(host)
    await aStartedGuest(host, { id: 'p2' })
    await host.client.powerOffPartition({ params: { partition: 'p2' } })
    await eventually('the gauge follows', async () => {
      const text = await host.metrics.expose()
      return (
        text.includes('fadump_partitions{state="starting"} 1') &&
        text.includes('fadump_partitions{state="not-activated"} 1')
      )
    })
  })

  test('are found again, as they were, by the next process', async () => {
    await using first = await startHypervisor()
    const guest = await aStartedGuest(first)
    await guest.report('booted')
    const before = await first.client.listPartitions({})
    await first.stop()
    await using second = await startHypervisor(first)
    assert.deepEqual(await second.client.listPartitions({}), before)
  })
})

suite('a restart of the partition', () => {
  test('gives clear memory and drops the registration; an earlier kernel cannot write any more', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host)
    await guest.write(0n, new Uint8Array(100_000).fill(1))
    const restarted = await host.client.restartPartition({ params: { partition: 'p1' } })
    assert.equal(restarted.epoch, 2)
    assert.equal((await host.store.describe(guest.space))?.populatedPages, 0)
    const stale = host.store.write(
      guest.space,
      { address: 0n as never, bytes: new Uint8Array([1]) },
      1 as never,
    )
    await assert.rejects(stale, { code: 'stale-epoch' })
  })

  test('a power off with a dump waiting says which dump is lost', async () => {
    await using host = await startHypervisor()
    const guest = await aCrashedGuest(host, v5Structure)
    const { pendingDump } = await guest.partition()
    await host.client.powerOffPartition({ params: { partition: 'p1' } })
    const rows = (await host.events.read(undefined, 100)).map(({ event }) => event)
    const off = rows.find((row) => row.event === 'powerOff')
    assert.deepEqual(off?.detail, { lostDump: pendingDump })
    const lost = rows.find((row) => row.aggregate === 'dump' && row.event === 'lost')
    assert.equal(lost?.subject, pendingDump)
    assert.equal((await guest.partition()).registration, 'idle')
  })
})
