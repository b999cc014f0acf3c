/** `ibm,nmi-register` and `ibm,nmi-interlock`: accepted, as the kernel expects at boot; machine checks are not delivered. */
import { rtasStatus } from '@fadump-lab/shared/rtas'
import type { Step } from '../partition/partitions.ts'
import type { RtasRequest, RtasReturn } from './service-table.ts'

/** Arguments: addresses of the system reset and the machine check handler, both in the real mode area. */
export async function nmiRegister({ held, args }: RtasRequest): Promise<Step<RtasReturn>> {
  const isInside = args.every((address) => BigInt(address) < held.record.rmaBytes)
  return { result: [isInside ? rtasStatus.success : rtasStatus.parameterError] }
}

export async function nmiInterlock(): Promise<Step<RtasReturn>> {
  return { result: [rtasStatus.success] }
}
