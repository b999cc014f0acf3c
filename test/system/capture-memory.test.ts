/** Capture kernels that run out of memory: what everybody is told, what becomes of the dump, and how it is saved after all. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { CaptureEnvironment, Partition } from '@fadump-lab/shared/contracts'
import { eventually } from '../support/eventually.ts'
import { startRoom, type Room } from '../support/room.ts'

const MiB = 2 ** 20
const content = { seed: 7, populatedBytes: 40 * 65_536 }
const small = { memoryBytes: 1024 * MiB, processors: 4, content }

/** One port of virtual Ethernet and a copy over ssh: 145 MiB are needed, and the copy itself is the peak. */
const inMidCopy = 'fadump=on fadump_reserve_mem=144M'
/** Eight queues of ehea: link up is the peak, 255 MiB. */
const atLinkUp = 'fadump=on fadump_reserve_mem=240M'

async function crashed(
  room: Room,
  form: {
    readonly id: string
    readonly bootArguments: string
    readonly memoryBytes?: number
    readonly profile?: Partition['profile']
    readonly capture?: CaptureEnvironment
  },
): Promise<string> {
  await room.api.boot({ ...small, ...form })
  const params = { partition: form.id }
  const job = await room.api.ended(await room.api.routes.crash({ params, body: {} }))
  return job.failure ?? ''
}

async function until(
  room: Room,
  id: string,
  holds: (now: Partition) => boolean,
): Promise<Partition> {
  await eventually(`${id} gets there`, async () => holds(await room.api.partition(id)))
  return room.api.partition(id)
}

async function told(room: Room, id: string, name: string) {
  const rows = await room.events.read(undefined, 10_000)
  return rows
    .map(({ event }) => event)
    .filter(({ subject, event }) => subject === id && event === name)
}

/** The report of the OOM killer of 3.4, and behind it the sentence. */
function assertReport(log: string, explanation: string): void {
  assert.match(log, /ip invoked oom-killer: gfp_mask=0x201da, order=0, oom_adj=0, oom_score_adj=0/)
  assert.match(log, /\[ pid \] {3}uid {2}tgid total_vm {6}rss cpu oom_adj oom_score_adj name/)
  assert.match(log, /Out of memory: Kill process \d+ \(dhclient\) score \d+ or sacrifice child/)
  assert.ok(log.includes(`kdump: ${explanation}`))
}

/** The dump that firmware took last, as it is stored. */
async function lastDumpOf(room: Room, { lastDump }: Partition): Promise<string> {
  return (await room.api.routes.getDump({ params: { dump: lastDump ?? '' } })).status
}

suite('a capture kernel without memory', () => {
  test('C154 C151 the same sentence in rehearsal, log, event and console; after a restart the dump is presented again and saved', async () => {
    await using room = await startRoom()
    const params = { partition: 'p1' }
    await room.api.boot({ ...small, id: 'p1', bootArguments: atLinkUp })
    const rehearsed = await room.api.routes.rehearse({ params, body: {} })
    assert.equal(rehearsed.verdict, 'fail')
    assert.equal(rehearsed.fix?.setting, 'ehea.use_mcs=0')
    assert.match(
      rehearsed.explanation,
      /^Out of memory in phase "link up": .*; killed: dhclient; largest: receive rings/,
    )
    const job = await room.api.ended(await room.api.routes.crash({ params, body: {} }))
    assert.ok(job.failure?.endsWith(rehearsed.explanation), job.failure)
    const [event] = await told(room, 'p1', 'captureFailed')
    assert.equal(event?.detail?.['explanation'], rehearsed.explanation)
    assert.deepEqual([event?.detail?.['killed'], event?.detail?.['follows']], ['dhclient', 'shell'])
    const log = await room.api.routes.readPartitionProc({ params: { ...params, file: 'kmsg' } })
    assertReport(log, rehearsed.explanation)
    const memory = await room.api.routes.readCaptureMemory({ params })
    assert.equal(memory.failure, rehearsed.explanation)
    assert.equal(memory.timeline.at(-1)?.phase, 'link up')
    const held = memory.owners.reduce((sum, { pages }) => sum + pages, 0)
    assert.equal(held + memory.freePages, memory.bootPages)
    const meminfo = await room.api.routes.readPartitionProc({
      params: { ...params, file: 'meminfo' },
    })
    assert.match(meminfo, new RegExp(`^MemFree: +${memory.freePages * 64} kB$`, 'm'))
    // The fix, as it is told, on the next boot: the dump that waits is saved.
    const body = { bootArguments: `${atLinkUp} ehea.use_mcs=0` }
    await room.api.routes.changeBootSettings({ params, body })
    await room.api.done(await room.api.routes.restart({ params }))
    const after = await until(room, 'p1', ({ state }) => state === 'running')
    assert.equal(await lastDumpOf(room, after), 'complete')
  })

  test('C154 a clean reboot, halt or power off after the failure invalidates the dump: it is gone', async () => {
    await using room = await startRoom()
    for (const [action, state] of [
      ['reboot', 'running'],
      ['halt', 'error'],
      ['poweroff', 'not-activated'],
    ] as const) {
      const capture = { failureAction: action }
      await crashed(room, { id: action, bootArguments: atLinkUp, capture })
      const now = await until(room, action, (partition) => partition.state === state)
      assert.equal(now.pendingDump, undefined, action)
      assert.equal((await told(room, action, 'captureFailed')).length, 1)
    }
  })

  test('C154 a full root file system panics; firmware presents the dump again, and again, and it is kept', async () => {
    await using room = await startRoom()
    const capture = { initramfsMiB: 106_752 / 1024, rootfsMiB: 106_752 / 1024 + 6.45 }
    const form = {
      id: 'p3',
      profile: 'modern',
      memoryBytes: 2048 * MiB,
      bootArguments: 'fadump=on crashkernel=320M',
      capture,
    } as const
    await crashed(room, { ...form })
    const now = await until(room, 'p3', ({ state }) => state === 'error')
    assert.match(
      now.lastFailure ?? '',
      /^No space left in the root file system \(write error\) in phase "initramfs unpack"/,
    )
    assert.match(
      now.lastFailure ?? '',
      /Use initramfs_options=size=90%.* 3 boots in a row have panicked so\.$/,
    )
    assert.equal((await told(room, 'p3', 'captureFailed')).length, 3)
    assert.equal(now.registration, 'active')
    const terminated = await told(room, 'p3', 'terminateUnregistered')
    assert.match(
      String(terminated[0]?.detail?.['message']),
      /^OS panic: VFS: Unable to mount root fs on "" or unknown-block\(1,0\) \(No space left/,
    )
    const params = { partition: 'p3' }
    const bootArguments = `${form.bootArguments} initramfs_options=size=90%`
    await room.api.routes.changeBootSettings({ params, body: { bootArguments } })
    await room.api.done(await room.api.routes.restart({ params }))
    const saved = await until(room, 'p3', ({ state }) => state === 'running')
    assert.equal(await lastDumpOf(room, saved), 'complete')
  })

  test('killed in mid-copy: what came through is stored as partial with its missing ranges, another try completes it', async () => {
    await using room = await startRoom()
    const capture = { card: 'ibmveth' } as const
    await crashed(room, { id: 'p4', bootArguments: inMidCopy, capture })
    const params = { partition: 'p4' }
    const failed = await until(room, 'p4', ({ state }) => state === 'error')
    const dumpId = { dump: failed.pendingDump ?? '' }
    await eventually(
      'the dump is partial',
      async () => (await room.api.routes.getDump({ params: dumpId })).status === 'partial',
    )
    const partial = await room.api.routes.getDump({ params: dumpId })
    assert.ok(partial.missing.length > 0)
    assert.ok(partial.transferredBytes > 0)
    assert.match(
      partial.failure ?? '',
      /Out of memory in mid-copy in phase "transfer".*killed: ssh/,
    )
    assert.match(failed.lastFailure ?? '', /killed: ssh.*fadump_reserve_mem=145M/)
    await room.api.routes.changeBootSettings({ params, body: { captureTarget: 'local' } })
    await room.api.done(await room.api.routes.restart({ params }))
    await until(room, 'p4', ({ state }) => state === 'running')
    const complete = await room.api.routes.getDump({ params: dumpId })
    assert.deepEqual([complete.status, complete.missing], ['complete', []])
  })

  test('dump to fallback: the network is given up, and the same boot saves the dump locally', async () => {
    await using room = await startRoom()
    const capture = { failureAction: 'dump to fallback' } as const
    assert.equal(await crashed(room, { id: 'p5', bootArguments: atLinkUp, capture }), '')
    assert.equal(
      await crashed(room, {
        id: 'p6',
        bootArguments: inMidCopy,
        capture: { ...capture, card: 'ibmveth' },
      }),
      '',
    )
    for (const id of ['p5', 'p6']) {
      const { lastDump, state } = await room.api.partition(id)
      assert.equal(state, 'running')
      assert.equal(
        (await room.api.routes.getDump({ params: { dump: lastDump ?? '' } })).status,
        'complete',
      )
      assert.equal((await told(room, id, 'captureFallback')).length, 1)
    }
  })

  test('a hang, a failed high order allocation and a small margin are told as what they are', async () => {
    await using room = await startRoom()
    const nfs = { card: 'ibmveth', target: 'nfs' } as const
    await crashed(room, {
      id: 'nfs',
      bootArguments: 'fadump=on fadump_reserve_mem=150M',
      capture: nfs,
    })
    await until(room, 'nfs', ({ state }) => state === 'error')
    const vnic = { card: 'ibmvnic', queues: 8 } as const
    await crashed(room, {
      id: 'vnic',
      bootArguments: 'fadump=on fadump_reserve_mem=170M',
      capture: vnic,
    })
    await until(room, 'vnic', ({ state }) => state === 'error')
    const kinds = await Promise.all(
      ['nfs', 'vnic'].map(
        async (id) => (await told(room, id, 'captureFailed'))[0]?.detail?.['kind'],
      ),
    )
    assert.deepEqual(kinds, ['hang', 'allocation failure'])
    const log = await room.api.routes.readPartitionProc({
      params: { partition: 'vnic', file: 'kmsg' },
    })
    assert.match(log, /ip: page allocation failure: order:7, mode:0xc0d0/)
    const tight = {
      id: 'tight',
      bootArguments: 'fadump=on fadump_reserve_mem=146M',
      capture: { card: 'ibmveth' },
    } as const
    assert.equal(await crashed(room, tight), '')
    const [warned] = await told(room, 'tight', 'captureWarning')
    assert.match(String(warned?.detail?.['explanation']), /is less than 5 percent/)
  })

  test('settings that do not go together are refused with rule and valid values', async () => {
    await using room = await startRoom()
    const create = (capture: CaptureEnvironment) =>
      room.api.routes.createPartition({ body: { ...small, id: 'bad', capture } })
    await assert.rejects(
      create({ card: 'ehea', queues: -1 }),
      /queues -1: .*valid: a whole number from 1 to 128/,
    )
    await assert.rejects(
      create({ card: 'ehea', queues: 17 }),
      /queues 17: more queues than the driver can use; valid: 1 to 16/,
    )
    await assert.rejects(
      create({ card: 'none' }),
      /a dump to this target needs a network card; valid: a card, or target local/,
    )
    await assert.rejects(create({ card: 'token-ring' as never }), /ehea/)
    await assert.rejects(
      room.api.routes.estimate({ body: { memoryMiB: 4096, cpus: 8, bootMemoryMiB: 8192 } }),
      /bootMemoryMiB 8192: boot memory is a part of memory; valid: less than the 4096 MiB of memory/,
    )
    const body = { preset: '2011', memoryMiB: 4096, cpus: 8, card: 'ehea', queues: 8 } as const
    const estimated = await room.api.routes.estimate({ body })
    assert.deepEqual([estimated.minimumMiB, estimated.recommendedMiB], [262, 384])
  })
})
