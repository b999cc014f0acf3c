/**
 * Firmware assisted non-maskable interrupts (PAPR 7.3.14): `ibm,nmi-register` names the handlers of the operating system,
 * `ibm,nmi-interlock` tells that one of them has taken the interrupt into its own hands. Until then a system reset of a
 * registered partition is firmware's to dump (R1-7.3.30-3, C026).
 */
import { rtasStatus } from '@fadump-lab/shared/rtas'
import { MiB } from '@fadump-lab/shared/units'
import { personalityOf } from '../fadump/firmware-dump.ts'
import { statusStrike } from '../faults/status-strike.ts'
import type { Step } from '../partition/partitions.ts'
import type { RtasRequest, RtasReturn } from './rtas-request.ts'

/** Handlers lie in the first 32 MiB (R1-7.3.14-6). */
const handlersEnd = 32n * MiB

/** Arguments: addresses of the system reset and the machine check handler. A second call replaces them. */
export async function nmiRegister({ held, args }: RtasRequest): Promise<Step<RtasReturn>> {
  const { record, epoch } = held
  const struck = statusStrike(record, 'nmi-register-status')
  if (struck !== undefined) return struck
  const isReachable = (address: number) =>
    BigInt(address) < handlersEnd && BigInt(address) < record.rmaBytes
  if (!args.every(isReachable)) return { result: [rtasStatus.parameterError] }
  const [systemReset = 0, machineCheck = 0] = args
  return {
    result: [rtasStatus.success],
    record: { ...record, nmiHandlers: { epoch, systemReset, machineCheck } },
  }
}

/**
 * Ends the wait of firmware after a system reset; otherwise it changes nothing, and PowerVM answers 0 all the same. QEMU
 * refuses a kernel that has registered no handlers.
 */
export async function nmiInterlock({ held }: RtasRequest): Promise<Step<RtasReturn>> {
  const { record, epoch } = held
  const struck = statusStrike(record, 'nmi-interlock-status')
  if (struck !== undefined) return struck
  const isRegistered = record.nmiHandlers?.epoch === epoch
  if (!isRegistered && personalityOf(record).interlockNeedsHandlers) {
    return { result: [rtasStatus.parameterError] }
  }
  const { awaitedInterlock, ...rest } = record
  if (awaitedInterlock === undefined) return { result: [rtasStatus.success] }
  return {
    result: [rtasStatus.success],
    record: rest,
    transitions: [{ aggregate: 'registration', event: 'interlocked' }],
  }
}
