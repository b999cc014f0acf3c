/** Partitions that are rehearsed, crashed and read to the end of their dump, one after the other, in one room without sockets. */
import { flattenedMedia, records, type RehearsalReply } from '@fadump-lab/shared/contracts'
import { failedBootsMax } from '../../services/lpar-kernel/src/capture-memory/end-capture.ts'
import { decodeKernelRecord } from '../../services/lpar-kernel/src/kernel/kernel-record.ts'
import type { QuietRoom } from '../sequence/room.ts'
import type { Configuration } from './configurations.ts'

export interface Crash {
  /** What was said before the crash. */
  readonly rehearsed: RehearsalReply
  /** The least that the room's model asks for, MiB. */
  readonly minimumMiB: number
  /** How it went: `through`, or the phase in which memory ended. */
  readonly ended: string
  /** The kernel's own sentence; absent when the dump got through. */
  readonly failure: string | undefined
}

/** Crashes a partition with this boot memory; its capture kernel is read to the end of the dump when there is one. */
export async function crashWith(
  room: QuietRoom,
  { form, bootArguments }: Configuration,
  { id, bootMemoryMiB }: { readonly id: string; readonly bootMemoryMiB: number },
): Promise<Crash> {
  const { hypervisor, kernel } = room
  const params = { partition: id }
  await hypervisor.createPartition({
    body: { id, ...form, bootArguments: bootArguments(bootMemoryMiB) },
  })
  await hypervisor.activatePartition({ params })
  await room.settle()
  const rehearsed = await kernel.rehearse({ params, body: {} })
  await kernel.crash({ params, body: { cause: 'sysrq' } })
  await room.settle()
  await readDump(room, id)
  const { failure, timeline } = await captureRecordOf(room, id)
  const { state } = await hypervisor.getPartition({ params })
  if (state !== 'not-activated') await hypervisor.powerOffPartition({ params })
  await hypervisor.deletePartition({ params })
  const { minimumMiB = 0 } = rehearsed
  const ended = failure === undefined ? 'through' : (timeline.at(-1)?.phase ?? 'nowhere')
  return { rehearsed, minimumMiB, ended, failure }
}

/** What the capture kernel's record says of its memory: also that of a kernel that has halted, which answers nobody. */
async function captureRecordOf(room: QuietRoom, id: string) {
  const { value } = await room.store.readRecord(room.spaceOf(id), records.kernel)
  const record = value === undefined ? undefined : decodeKernelRecord(value)
  if (record?.capture === undefined) throw new Error(`${id} has not booted a capture kernel`)
  return record.capture
}

/**
 * Reads to the end, or to where the copy is cut off. A kernel that panics in mid-copy comes up again with the same dump:
 * it is read again, until it comes up no more.
 */
async function readDump(room: QuietRoom, id: string): Promise<void> {
  const params = { partition: id }
  for (let boot = 0; boot < failedBootsMax; boot += 1) {
    const { state, epoch, pendingDump = 'no-dump' } = await room.hypervisor.getPartition({ params })
    if (state !== 'capturing') return
    const collector = room.collecting({ dump: pendingDump, epoch })
    const isThrough = await isReadToTheEnd(collector, id)
    await room.settle()
    if (isThrough) return
  }
}

/** Whether the end of the dump has come; who reads a copy that is cut off is told EIO in the middle of it. */
async function isReadToTheEnd(
  collector: ReturnType<QuietRoom['collecting']>,
  partition: string,
): Promise<boolean> {
  const request = { params: { partition }, headers: { accept: flattenedMedia } }
  try {
    const { body } = await collector.readVmcore(request)
    for await (const _part of body) continue
    return true
  } catch (error) {
    if (!(error instanceof Error)) throw error
    return false
  }
}
