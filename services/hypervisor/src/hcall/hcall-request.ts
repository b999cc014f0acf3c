/** One hypervisor call as the services of this room see it. */
import type { HcallReply } from '@fadump-lab/shared/hcall'
import type { HypervisorContext } from '../deps.ts'
import type { Held } from '../partition/partitions.ts'

export type HcallArguments = readonly [bigint, bigint, bigint, bigint]

export interface HcallRequest {
  readonly held: Held
  /** GPR4 to GPR7; those that the caller left out are 0. */
  readonly args: HcallArguments
  readonly deps: Pick<HypervisorContext, 'store'>
}

export type HcallResult = HcallReply
