/** `system-reboot` and `power-off`: the kernel ends itself, so neither call returns. */
import type { Step } from '../partition/partitions.ts'
import { powerOffStep, restartStep } from '../partition/power.ts'
import type { RtasRequest, RtasReturn } from './rtas-request.ts'

export async function systemReboot(request: RtasRequest): Promise<Step<RtasReturn>> {
  return { ...restartStep(ownRecord(request)), result: 'no return' }
}

/** Arguments: which events power the partition on again (PAPR); there are none here. */
export async function powerOffService(request: RtasRequest): Promise<Step<RtasReturn>> {
  return { ...powerOffStep(ownRecord(request)), result: 'no return' }
}

function ownRecord({ held, correlationId }: RtasRequest) {
  return { ...held.record, correlationId }
}
