/**
 * `ibm,os-term` (spec §3.4): the operating system has died. With a registered dump the call does not return: firmware
 * preserves memory and boots the partition again. Without one it answers 0, and the kernel follows its own policy; QEMU
 * reports "guest panicked" and ends.
 */
import { rtasStatus } from '@fadump-lab/shared/rtas'
import { realAddress, toAscii } from '@fadump-lab/shared/units'
import { personalityOf } from '../fadump/firmware-dump.ts'
import { strike, type Strike } from '../faults/armed-faults.ts'
import { statusStrike } from '../faults/status-strike.ts'
import type { FirmwareRecord } from '../partition/firmware-record.ts'
import { moved, registrationTransition } from '../partition/lifecycle.ts'
import { powerOffStep } from '../partition/power.ts'
import type { Step } from '../partition/partitions.ts'
import type { RtasRequest, RtasReturn } from './rtas-request.ts'

/** The kernel's buffer for the message, its NUL included. */
export const osTermMessageBytesMax = 2048
/** What of it goes into the event and the record. */
const messageTextMax = 512

export async function osTerm(request: RtasRequest): Promise<Step<RtasReturn>> {
  const { held, correlationId } = request
  const struck = statusStrike(held.record, 'os-term-status')
  if (struck !== undefined) return struck
  const message = await readMessage(request)
  const record = { ...held.record, correlationId }
  if (record.registration === 'registered') {
    const failure = strike(record, 'preserve-hardware-error')
    if (failure !== undefined) return withoutPreserve(failure, message)
    return { ...dumpStep(record, message), result: 'no return' }
  }
  if (personalityOf(record).osTermUnregistered === 'ends the partition') {
    return guestPanicked(record, message)
  }
  const answered = [rtasStatus.success]
  if (record.state === 'terminated') return { result: answered }
  const { record: next, transition } = moved(record, 'terminateUnregistered', { message })
  return {
    result: answered,
    record: { ...next, lastFailure: `the kernel has terminated: ${message}` },
    transitions: [transition],
  }
}

/**
 * The memory cannot be preserved: −1, and the kernel follows its panic policy with its registration as it was. QEMU stores
 * the −1 and then reports "guest panicked", which nobody lives to see.
 */
function withoutPreserve({ record, transition }: Strike, message: string): Step<RtasReturn> {
  if (personalityOf(record).osTermUnregistered === 'ends the partition') {
    const { transitions = [], ...step } = guestPanicked(record, message)
    return { ...step, transitions: [transition, ...transitions] }
  }
  return { result: [rtasStatus.hardwareError], record, transitions: [transition] }
}

/** QEMU's end of a guest that has given up. */
function guestPanicked(before: FirmwareRecord, message: string): Step<RtasReturn> {
  const { record = before, ...step } = powerOffStep(before)
  const lastFailure = `OS terminated: ${message}; guest panicked`
  return { ...step, record: { ...record, lastFailure }, result: 'no return' }
}

/** The state of a partition whose memory is about to be preserved. From here on no kernel of it can write. */
export function dumpStep(record: FirmwareRecord, message: string): Step<undefined> {
  const crashes = record.crashes + 1
  const pendingDump = `${record.id}-${record.incarnation}-${crashes}`
  const { record: next, transition } = moved(record, 'terminate', { message, dump: pendingDump })
  const { partitionUrl: _url, ...rest } = next
  return {
    result: undefined,
    record: { ...rest, registration: 'dumping', crashes, pendingDump },
    memory: { nextEpoch: true },
    transitions: [
      transition,
      ...registrationTransition(record.registration, 'dumping', 'osTerm'),
      { aggregate: 'dump', event: 'triggered', subject: pendingDump },
    ],
  }
}

/** Printable text up to the NUL; empty when the pointer leads nowhere, which must not keep a dump from being taken. */
async function readMessage({ held, args, deps }: RtasRequest): Promise<string> {
  const address = BigInt(args[0] ?? 0)
  const left = held.record.memoryBytes - address
  if (left <= 0n) return ''
  const length = left < BigInt(osTermMessageBytesMax) ? Number(left) : osTermMessageBytesMax
  const bytes = await deps.store.read(held.space, realAddress(address), length)
  const end = bytes.indexOf(0)
  return toAscii(end === -1 ? bytes : bytes.subarray(0, end))
    .replaceAll(/[^\u0020-\u007e]/g, '?')
    .slice(0, messageTextMax)
}
