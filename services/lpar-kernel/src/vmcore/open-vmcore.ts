/** /proc/vmcore as this kernel presents it: the plan of the file, worked out anew from memory for every reader. */
import {
  decodeCoreHeaders,
  modernVmcoreLayout,
  notesBytesMax,
  planVmcore,
  realNotesLength,
  segmentType,
  v5VmcoreLayout,
  type VmcoreLayout,
  type VmcorePlan,
} from '@fadump-lab/shared/elf'
import type { Clock } from '@fadump-lab/shared/runtime'
import type { Epoch, MemoryStore, Version } from '@fadump-lab/shared/store'
import { realAddress, toHostLength } from '@fadump-lab/shared/units'
import { errnoProblem } from '../kernel/errno.ts'
import { loadKernelRecord, type KernelRecord } from '../kernel/kernel-record.ts'
import type { RunningKernel } from '../kernel/running-kernel.ts'

const path = '/proc/vmcore'

export interface OpenVmcore {
  readonly kernel: RunningKernel
  readonly plan: VmcorePlan
  /** Throws `errno` EIO when the dump has been released, or the boot is over: what was read since may be wrong. */
  check(): Promise<void>
  /** Lets other work of this process run. */
  yieldTurn(): Promise<void>
}

/** Errors: `errno` ENOENT when this kernel has no dump, or no longer. */
export async function openVmcore(
  { store, clock }: { readonly store: MemoryStore; readonly clock: Clock },
  kernel: RunningKernel,
): Promise<OpenVmcore> {
  const { vmcore } = kernel.record
  if (vmcore === undefined) throw missing(kernel.record)
  const plan = await planOf(kernel, vmcore)
  const check = createCheck(store, kernel, vmcore.dump)
  return { kernel, plan, check, yieldTurn: () => clock.sleep(0) }
}

async function planOf(
  { memory, record }: RunningKernel,
  vmcore: NonNullable<KernelRecord['vmcore']>,
): Promise<VmcorePlan> {
  const headers = decodeCoreHeaders(
    await memory.read(vmcore.elfCoreHeader, vmcore.elfCoreHeaderBytes),
  )
  const layout = layoutOf(record)
  const lengths: number[] = []
  for (const note of headers.programHeaders) {
    if (note.type !== segmentType.note) continue
    const area = await memory.read(
      realAddress(note.offset),
      toHostLength(note.memorySize, notesBytesMax),
    )
    lengths.push(realNotesLength(area, headers.order, layout).length)
  }
  return planVmcore(headers, lengths, layout)
}

function layoutOf(record: KernelRecord): VmcoreLayout {
  return record.profile === 'v5' ? v5VmcoreLayout : modernVmcoreLayout(Number(record.pageSize))
}

/** Asks for the record only when something was committed to the space since it was last seen good. */
function createCheck(store: MemoryStore, kernel: RunningKernel, dump: string): () => Promise<void> {
  let seen: Version | undefined
  const epoch = kernel.memory.epoch
  return async () => {
    const description = await store.describe(kernel.space)
    if (description === undefined) throw cutOff(dump)
    if (description.epoch !== epoch) throw cutOff(dump)
    if (description.version === seen) return
    const loaded = await loadKernelRecord(store, kernel.space)
    if (!presents(loaded?.record, { dump, epoch })) throw cutOff(dump)
    seen = description.version
  }
}

function presents(
  record: KernelRecord | undefined,
  wanted: { readonly dump: string; readonly epoch: Epoch },
): boolean {
  return record?.epoch === wanted.epoch && record.vmcore?.dump === wanted.dump
}

function missing(record: KernelRecord) {
  const why =
    record.boot === 'capture'
      ? 'the dump has been released'
      : 'this is no capture kernel; crash the partition first'
  return errnoProblem('ENOENT', path, why)
}

function cutOff(dump: string) {
  return errnoProblem('EIO', path, `dump ${dump} was released or the partition restarted meanwhile`)
}
