/**
 * The transfer of a dump as the capture kernel's memory sees it: client, data in flight and page cache are taken when the
 * first reader comes; streams of this host hold their windows; and when memory does not last until the end of the copy,
 * the process that copies is killed in the middle of it.
 */
import { rehearse } from '@fadump-lab/shared/capture-memory'
import { memoryRange, rangeLength } from '@fadump-lab/shared/units'
import { errnoProblem } from '../kernel/errno.ts'
import type { KernelHost } from '../kernel/kernel-host.ts'
import type { RunningKernel } from '../kernel/running-kernel.ts'
import type { OpenVmcore } from '../vmcore/open-vmcore.ts'
import { lifeOf, livedOn } from './capture-record.ts'
import type { CaptureLife } from './capture-life.ts'
import { endCapture } from './end-capture.ts'
import { otherProcessLines } from './oom-report.ts'

const path = '/proc/vmcore'
/** One window of a vmcore stream: at most that much is read at once. */
export const windowBytes = 1024 * 1024

/** Errors: `errno` ENOENT when the process that would serve the dump is dead. */
export function requireCollector({ record }: RunningKernel): void {
  const failure = record.capture?.failure
  if (failure === undefined) return
  throw errnoProblem('ENOENT', path, `nobody serves it any more. ${failure}`)
}

/** A stream of the dump, whose windows are held as long as it lasts. */
export async function* withinMemory(
  host: KernelHost,
  { kernel }: Pick<OpenVmcore, 'kernel'>,
  stream: () => AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, void> {
  const boot = bootOf(kernel)
  const bytes = host.streamWindows * windowBytes
  host.windows.change(boot, bytes)
  try {
    yield* stream()
  } finally {
    host.windows.change(boot, -bytes)
  }
}

/** As `withinMemory`, for the copy itself: the phase `transfer`, which can end in the middle. */
export async function* transferred(
  host: KernelHost,
  vmcore: OpenVmcore,
  stream: () => AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, void> {
  const { kernel } = vmcore
  const life = await enterTransfer(host, kernel)
  const copy = withinMemory(host, vmcore, stream)
  if (life?.shortage === undefined) {
    yield* copy
    return
  }
  yield* cutOff(copy, (await populatedBytes(vmcore)) * shareThatFits(life))
  throw await kill(host, kernel, life)
}

/** Which stream windows are whose. */
export function bootOf({ record }: Pick<RunningKernel, 'record'>): string {
  return `${record.partition}-${record.epoch}`
}

/**
 * The first reader is what the transfer stands for; the memory for more than that must be there. Errors: `errno` ENOMEM.
 */
export function requireRoom(host: KernelHost, kernel: RunningKernel): void {
  const { capture } = kernel.record
  const bytes = host.streamWindows * windowBytes
  const { inFlightBytes } = host.windows.use(bootOf(kernel))
  if (capture === undefined || inFlightBytes === 0) return
  const { pages, reservePages, system } = lifeOf(capture)
  const mine = pages.heldBy('data in flight') + pages.heldBy('page cache')
  const room = (mine + pages.free - reservePages) * system.pageKiB * 1024
  if (inFlightBytes + bytes <= room) return
  const why = `another stream needs ${bytes} bytes of windows, streams hold ${inFlightBytes} of the ${Math.max(0, room)} bytes that memory leaves them`
  throw errnoProblem('ENOMEM', path, why)
}

/** What streams of this host hold beyond what the transfer has taken for data in flight and page cache. */
export function extraBytes(
  host: KernelHost,
  kernel: RunningKernel,
  { pages, system }: CaptureLife,
): number {
  const { inFlightBytes } = host.windows.use(bootOf(kernel))
  const taken = pages.heldBy('data in flight') + pages.heldBy('page cache')
  return Math.max(0, inFlightBytes - taken * system.pageKiB * 1024)
}

/** Enters the phase once a boot; `undefined` when the kernel has no account. */
async function enterTransfer(
  host: KernelHost,
  kernel: RunningKernel,
): Promise<CaptureLife | undefined> {
  const { capture } = kernel.record
  if (capture === undefined) return undefined
  const before = capture.timeline.length
  const life = lifeOf(capture)
  life.through('transfer')
  // Somebody else may read at the same time: whoever is first writes it down, and the pages are the same.
  const { timeline } = livedOn(capture, life, host.deps.clock.iso())
  const isFirst =
    life.timeline.length > before && (await kernel.update({ capture: { ...capture, timeline } }))
  if (isFirst && life.hasKilledOther) await tellOther(kernel, life)
  return life
}

async function tellOther(kernel: RunningKernel, life: CaptureLife): Promise<void> {
  const { record } = kernel
  const bytes = record.memoryRegions.reduce((sum, region) => sum + rangeLength(region), 0n)
  const presentPages = Number(bytes / record.pageSize)
  await kernel.printk(otherProcessLines({ profile: record.profile, life, presentPages }))
}

/** How much of what the transfer needs was there. */
function shareThatFits({ pages, reservePages, shortage, timeline, system }: CaptureLife): number {
  const before = timeline.at(-2)?.freePages ?? pages.total
  const had = Math.max(0, before - reservePages)
  const wanted = had - (pages.free - reservePages) + (shortage?.pages ?? 0)
  const share = wanted <= 0 ? 1 : had / wanted
  return system.otherProcessMiB > 0 ? othersShare : Math.min(1, share)
}

/** Another process was as fast as the copy: half of it was through. */
const othersShare = 0.5

async function populatedBytes({ plan, kernel }: OpenVmcore): Promise<number> {
  let bytes = 0
  for (const { source, length } of plan.segments) {
    if (source.from !== 'memory') continue
    const { address } = source
    const range = memoryRange(address, address + length)
    for await (const found of kernel.memory.populated(range)) bytes += Number(rangeLength(found))
  }
  return bytes
}

/** Chunks that are held back, so that some of the dump is missing whatever its size: record header, bytes, end. */
const heldBackChunks = 3

/** The stream until `bytes` have been sent, never all of it. */
async function* cutOff(
  stream: AsyncIterable<Uint8Array>,
  bytes: number,
): AsyncGenerator<Uint8Array, void, void> {
  const held: Uint8Array[] = []
  let sent = 0
  for await (const chunk of stream) {
    held.push(chunk)
    if (held.length <= heldBackChunks) continue
    if (sent >= bytes) return
    const next = held.shift()
    if (next === undefined) return
    sent += next.byteLength
    yield next
  }
}

/** The process that copies is dead; gives what its reader is told. */
async function kill(host: KernelHost, kernel: RunningKernel, life: CaptureLife): Promise<Error> {
  await host.captureMutex.run(kernel.record.partition, async () => {
    const present = await host.find(kernel.record.partition, kernel.firmware.boot.correlationId)
    const capture = present?.record.capture
    if (present?.record.epoch !== kernel.record.epoch || capture === undefined) return
    if (capture.failure !== undefined || capture.system.target !== life.system.target) return
    const failed = livedOn(capture, life, host.deps.clock.iso())
    if (!(await present.update({ capture: failed }))) return
    await endCapture(host, present, await present.firmware.partition())
  })
  return errnoProblem('EIO', path, `the copy was cut off. ${rehearse(life.system).explanation}`)
}
