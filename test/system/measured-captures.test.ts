/**
 * Capture boots as Linux 7.2.12 had them under QEMU 11.1 (pseries, two CPUs, 2 GiB, crashkernel=320M, virtual Ethernet),
 * crashed again in a whole room: the same initramfs sizes and the same processes beside the dump, the same ends.
 */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { consumers } from '@fadump-lab/shared/capture-memory'
import {
  elfMedia,
  type CaptureEnvironment,
  type NewPartition,
  type Partition,
} from '@fadump-lab/shared/contracts'
import { eventually } from '../support/eventually.ts'
import { logInMemory } from '../support/log-in-memory.ts'
import { memoryImage, noiseAt } from '../support/memory-image.ts'
import { startRoom, type Room } from '../support/room.ts'

const MiB = 2 ** 20
/** `/initrd.image: incomplete write (-28 != N)`: the sizes of the images that were too large, bytes. */
const pad100Bytes = 109_341_806
const pad140Bytes = 151_290_928
/** `Freeing initrd memory: 65792K` of the one that fits. */
const pad60Bytes = 65_792 * 1024
/** Unpacked it has as much more: what does compress, and half a page for every file. */
const unpackedMoreMiB = 6.45

const initramfs = (bytes: number): CaptureEnvironment => ({
  initramfsMiB: bytes / MiB,
  rootfsMiB: bytes / MiB + unpackedMoreMiB,
})
/** What MemTotal leaves out. */
const reservedOwners = new Set(
  consumers.filter(({ isReserved }) => isReserved === true).map(({ name }) => name),
)
/** `tail /dev/zero`: it takes what there is. */
const hog: CaptureEnvironment = { otherProcessMiB: 2048 }

async function crash(
  room: Room,
  form: Pick<NewPartition, 'id'> &
    Partial<Pick<NewPartition, 'firmware' | 'capture' | 'bootArguments'>>,
): Promise<string> {
  const { bootArguments = '', ...rest } = form
  await room.api.routes.createPartition({
    body: {
      memoryBytes: 2048 * MiB,
      processors: 2,
      profile: 'modern',
      content: { seed: 7, populatedBytes: 40 * 65_536 },
      bootArguments: `fadump=on crashkernel=320M ${bootArguments}`,
      ...rest,
    },
  })
  const params = { partition: form.id }
  await room.api.done(await room.api.routes.activate({ params }))
  const job = await room.api.ended(await room.api.routes.crash({ params, body: {} }))
  return job.failure ?? ''
}

async function until(room: Room, id: string, state: Partition['state']): Promise<Partition> {
  await eventually(`${id} is ${state}`, async () => (await room.api.partition(id)).state === state)
  return room.api.partition(id)
}

async function statusOf(room: Room, { lastDump }: Partition): Promise<string> {
  return (await room.api.routes.getDump({ params: { dump: lastDump ?? '' } })).status
}

/** Lines in this order, others between them. */
function assertLines(log: string, lines: readonly string[]): void {
  let from = 0
  for (const line of lines) {
    const at = log.indexOf(`${line}\n`, from)
    assert.ok(at >= 0, `${line} is missing behind byte ${from} of\n${log}`)
    from = at + line.length
  }
}

suite('captures as they were measured', () => {
  test('o-pad60: an initramfs of 65792 KiB fits, and the dump gets through', async () => {
    await using room = await startRoom()
    assert.equal(await crash(room, { id: 'pad60', capture: initramfs(pad60Bytes) }), '')
    assert.equal(await statusOf(room, await until(room, 'pad60', 'running')), 'complete')
  })

  for (const [run, bytes, freed] of [
    ['o-pad100', pad100Bytes, 106_752],
    ['o-pad140', pad140Bytes, 147_712],
  ] as const) {
    test(`${run}: an initramfs of ${bytes} bytes ends in a write error, then there is no root file system: no OOM kill`, async () => {
      await using room = await startRoom()
      assert.match(
        await crash(room, { id: 'pad', capture: initramfs(bytes) }),
        /No space left in the root file system \(write error\) in phase "initramfs unpack"/,
      )
      await until(room, 'pad', 'error')
      const log = await logInMemory(room.store, 'pad', 'modern')
      assertLines(log, [
        'Trying to unpack rootfs image as initramfs...',
        'rootfs image is not initramfs (write error); looks like an initrd',
        `/initrd.image: incomplete write (-28 != ${bytes})`,
        `Freeing initrd memory: ${freed}K`,
        "RAMDISK: Couldn't find valid RAM disk image starting at 0.",
        'List of all partitions:',
        'No filesystem could mount root, tried: ',
        'Kernel panic - not syncing: VFS: Unable to mount root fs on "" or unknown-block(1,0)',
      ])
      assert.doesNotMatch(log, /oom-killer|Out of memory/)
    })
  }

  test('o-pad140 on the firmware of QEMU: ibm,os-term ends the machine, and the dump is lost', async () => {
    await using room = await startRoom()
    await crash(room, { id: 'gone', firmware: 'qemu', capture: initramfs(pad140Bytes) })
    const { pendingDump, registration } = await until(room, 'gone', 'not-activated')
    assert.deepEqual([pendingDump, registration], [undefined, 'idle'])
  })

  test('o-hog-oom: the OOM killer takes the process beside the dump, and the dump survives', async () => {
    await using room = await startRoom()
    assert.equal(await crash(room, { id: 'hog', capture: hog }), '')
    assert.equal(await statusOf(room, await until(room, 'hog', 'running')), 'complete')
    const log = await logInMemory(room.store, 'hog', 'modern')
    assertLines(log, [
      'tail invoked oom-killer: gfp_mask=0x140cca(GFP_HIGHUSER_MOVABLE|__GFP_COMP), order=0, oom_score_adj=0',
      'Mem-Info:',
      '32768 pages RAM',
      'Tasks state (memory values in pages):',
      '[  pid  ]   uid  tgid total_vm      rss rss_anon rss_file rss_shmem pgtables_bytes swapents oom_score_adj name',
    ])
    // The watermarks are those of the run; free:1472kB there, here the page below the lowest of them.
    assert.match(log, /^Node 0 Normal free:2048kB min:2112kB low:2624kB high:3136kB /m)
    assert.match(log, /^Node 0 Normal: \d\*64kB .* \d\*16384kB = 2048kB$/m)
    assert.match(
      log,
      /^oom-kill:constraint=CONSTRAINT_NONE,nodemask=\(null\),cpuset=\/,mems_allowed=0,global_oom,task_memcg=\/,task=tail,pid=\d+,uid=0\nOut of memory: Killed process \d+ \(tail\) total-vm:\d+kB, anon-rss:\d+kB, file-rss:64kB, shmem-rss:1408kB, UID:0 pgtables:49kB oom_score_adj:0$/m,
    )
    // 28288 there: a part of the preserved memory is counted otherwise by 1 percent.
    const [, reserved] = /^(\d+) pages reserved$/m.exec(log) ?? []
    assert.ok(Math.abs(Number(reserved) / 28_288 - 1) < 0.01, reserved)
  })

  test('o-hog-poo1: with vm.panic_on_oom=1 it is a panic in mid-copy, the receiver has a part, and on QEMU the rest is lost', async () => {
    await using room = await startRoom()
    const bootArguments = 'sysctl.vm.panic_on_oom=1'
    await crash(room, { id: 'poo', firmware: 'qemu', capture: hog, bootArguments })
    const { lastDump = '', pendingDump } = await until(room, 'poo', 'not-activated')
    assert.equal(pendingDump, undefined)
    await eventually(
      'the dump is given up',
      async () =>
        (await room.api.routes.getDump({ params: { dump: lastDump } })).status === 'partial',
    )
    const dump = await room.api.routes.getDump({ params: { dump: lastDump } })
    assert.ok(dump.transferredBytes > 0n && dump.missing.length > 0)
    // That machine is gone with its memory; firmware as PAPR has it keeps both.
    await crash(room, { id: 'kept', capture: hog, bootArguments })
    assert.equal((await until(room, 'kept', 'error')).registration, 'active')
    assertLines(await logInMemory(room.store, 'kept', 'modern'), [
      'tail invoked oom-killer: gfp_mask=0x140cca(GFP_HIGHUSER_MOVABLE|__GFP_COMP), order=0, oom_score_adj=0',
      'Kernel panic - not syncing: Out of memory: system-wide panic_on_oom is enabled',
    ])
  })

  test('k4: 320 MiB with pages of 4 KiB leave 265892 kB, within 1 percent, and the dump gets through', async () => {
    await using room = await startRoom()
    await room.api.routes.createImage({
      query: { id: 'k4', profile: 'modern' },
      headers: { 'content-type': elfMedia },
      body: memoryImage({
        order: 'little',
        pageSize: 4096,
        cpus: 2,
        crashingCpu: 0,
        loads: [{ physical: 0n, bytes: noiseAt(0n, 0x4_0000) }],
      }).file,
    })
    // A quarter of 1 GiB is less than 320 MiB: that much is reserved without crashkernel=.
    const form = { memoryBytes: 1024 * MiB, image: 'k4', bootArguments: 'fadump=on' } as const
    await room.api.boot({ id: 'k4', processors: 2, profile: 'modern', ...form })
    const dump = await room.api.crash('k4')
    assert.equal(dump.status, 'complete')
    const memory = await room.api.routes.readCaptureMemory({ params: { partition: 'k4' } })
    assert.deepEqual([memory.pageBytes, memory.bootPages], [4096, (320 * MiB) / 4096])
    const reserved = memory.owners.filter(({ owner }) => reservedOwners.has(owner))
    const pages = reserved.reduce((sum, owner) => sum + owner.pages, 0)
    const memTotal = (memory.bootPages - pages) * 4
    assert.ok(Math.abs(memTotal / 265_892 - 1) < 0.01, `${memTotal} kB`)
  })
})
