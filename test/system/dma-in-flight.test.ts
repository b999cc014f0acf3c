/**
 * DMA in flight (the iommu part of the 2011 series): an adapter that goes on after the crash writes into the dump of a kernel
 * that keeps the translation control entries, and nowhere if the kernel clears them.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import test, { suite } from 'node:test'
import { realAddress, toAscii } from '@fadump-lab/shared/units'
import { partitionSpace } from '@fadump-lab/shared/contracts'
import { startRoom, type Room } from '../support/room.ts'
import { Vmcore } from '../support/vmcore.ts'

const GiB = 2 ** 30
const frame = 'frame that was in flight when the kernel crashed'

/**
 * Receive buffers of 1 GiB with 2 CPUs: behind the image (end 0x410000) and 1 MiB for user space; and from the end of boot
 * memory (320 MiB) on, where the dump area of a modern kernel (0x140102a8 bytes) comes first.
 */
const low = [0x51_0000n, 0x52_0000n]
const high = { v5: [0x1400_0000n, 0x1401_0000n], modern: [0x2802_0000n, 0x2803_0000n] } as const

interface Case {
  readonly profile: 'v5' | 'modern'
  readonly firmware?: 'papr' | 'qemu'
  readonly kernelDefects?: readonly 'keeps-tce-entries'[]
  readonly isArmed?: boolean
}

interface Outcome {
  /** Frames that the dump holds in place of what was there. */
  readonly inDump: number
  /** Frames in the memory that the capture kernel lives in. */
  readonly inBootMemory: number
  /** What the adapter is said to have sent, and what arrived. */
  readonly event: unknown
}

async function crashWithDma(room: Room, given: Case): Promise<Outcome> {
  const { isArmed = true, ...form } = given
  const id = 'p1'
  const params = { partition: id }
  const body = { id, memoryBytes: GiB, processors: 2, captureTarget: 'local' as const }
  const { profile } = form
  await room.api.routes.createPartition({
    body: { ...body, ...form, kernelDefects: [...(form.kernelDefects ?? [])] },
  })
  await room.api.done(await room.api.routes.activate({ params }))
  if (isArmed) await room.api.routes.armFault({ body: { name: 'dma-in-flight', scope: params } })
  const space = partitionSpace('server-1', id)
  const read = async (address: bigint) =>
    toAscii(await room.store.read(space, realAddress(address), 64))
  const buffers = [...low, ...high[profile]]
  const before = await Promise.all(buffers.map(read))
  const dump = await room.api.crash(id)
  await using core = await Vmcore.open(join(room.dumpRoot, id, dump.id, 'vmcore'))
  const dumped = await Promise.all(
    buffers.map(async (address) => toAscii((await core.physical(address, 64)) ?? new Uint8Array())),
  )
  dumped.forEach((text, index) => assert.ok(text.startsWith(frame) || text === before[index]))
  // The capture kernel has not touched these pages otherwise, and they are not in the dump area.
  const left = await Promise.all(low.map(read))
  const events = await room.api.routes.listEvents({ query: { limit: 1000 } })
  return {
    inDump: dumped.filter((text) => text.startsWith(frame)).length,
    inBootMemory: left.filter((text) => text.startsWith(frame)).length,
    event: events.find(({ event }) => event.event === 'dma-in-flight')?.event.detail,
  }
}

suite('DMA in flight', () => {
  for (const profile of ['v5', 'modern'] as const) {
    test(`a capture kernel that clears the translation control entries has a dump that nothing wrote into: ${profile}`, async () => {
      await using room = await startRoom(undefined, { faults: true })
      assert.deepEqual(await crashWithDma(room, { profile }), {
        inDump: 0,
        inBootMemory: 0,
        event: { frames: 4, landed: 0 },
      })
    })

    test(`a capture kernel that keeps them loses what lies in place, and memory of its own; the copy of boot memory stays whole: ${profile}`, async () => {
      await using room = await startRoom(undefined, { faults: true })
      const kernelDefects = ['keeps-tce-entries'] as const
      assert.deepEqual(await crashWithDma(room, { profile, kernelDefects }), {
        inDump: 2,
        inBootMemory: 2,
        event: { frames: 4, landed: 4 },
      })
    })

    test(`keeping them does no harm while no adapter writes: ${profile}`, async () => {
      await using room = await startRoom(undefined, { faults: true })
      const kernelDefects = ['keeps-tce-entries'] as const
      const outcome = await crashWithDma(room, { profile, kernelDefects, isArmed: false })
      assert.deepEqual(outcome, { inDump: 0, inBootMemory: 0, event: undefined })
    })
  }

  test('QEMU clears the entries when it resets: keeping them does no harm', async () => {
    await using room = await startRoom(undefined, { faults: true })
    const kernelDefects = ['keeps-tce-entries'] as const
    const outcome = await crashWithDma(room, { profile: 'modern', firmware: 'qemu', kernelDefects })
    assert.deepEqual(outcome, { inDump: 0, inBootMemory: 0, event: { frames: 4, landed: 0 } })
  })
})
