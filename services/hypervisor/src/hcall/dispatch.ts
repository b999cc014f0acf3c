/** One hypervisor call: registers in, registers out, and what it does to the partition in one step. */
import { Problem } from '@fadump-lab/shared/contracts'
import {
  decodeHcall,
  encodeHcallReply,
  HcallError,
  hcallNameOf,
  hcallReturn,
  type Hcall,
  type HcallName,
} from '@fadump-lab/shared/hcall'
import type { HypervisorContext } from '../deps.ts'
import { requirePresentBoot } from '../partition/present-boot.ts'
import { requireKernel } from '../partition/lifecycle.ts'
import type { Partitions, Step } from '../partition/partitions.ts'
import type { HcallRequest, HcallResult } from './hcall-request.ts'
import { getTce, putTce, putTceIndirect, stuffTce } from './tce-calls.ts'

const hcallTable: Readonly<
  Record<HcallName, (request: HcallRequest) => Promise<Step<HcallResult>>>
> = {
  H_GET_TCE: getTce,
  H_PUT_TCE: putTce,
  H_STUFF_TCE: stuffTce,
  H_PUT_TCE_INDIRECT: putTceIndirect,
}

export interface HcallExchange {
  readonly partition: string
  readonly epoch: number
  /** The registers. */
  readonly registers: Uint8Array
  readonly correlationId: string
}

/**
 * The registers after the call; H_FUNCTION for a token that this hypervisor does not have. Errors: `not-found`,
 * `wrong-state`, `stale-boot`, `invalid-request` for registers that are none.
 */
export async function callHypervisor(
  { deps, partitions }: { readonly deps: HypervisorContext; readonly partitions: Partitions },
  exchange: HcallExchange,
): Promise<Uint8Array> {
  const call = decoded(exchange.registers)
  const name = hcallNameOf(call.token)
  const { result } = await partitions.update(
    exchange.partition,
    exchange.correlationId,
    async (held): Promise<Step<HcallResult>> => {
      requirePresentBoot(held, exchange.epoch)
      requireKernel(held.record, 'a hypervisor call')
      if (name === undefined) return { result: { code: hcallReturn.H_FUNCTION, outputs: [] } }
      const [first = 0n, second = 0n, third = 0n, fourth = 0n] = call.args
      return hcallTable[name]({ held, args: [first, second, third, fourth], deps })
    },
  )
  deps.metrics.count('fadump_hcalls_total', {
    call: name ?? 'unknown',
    code: String(result.code),
  })
  return encodeHcallReply(result)
}

function decoded(registers: Uint8Array): Hcall {
  try {
    return decodeHcall(registers)
  } catch (cause) {
    if (!(cause instanceof HcallError)) throw cause
    throw new Problem('invalid-request', `body: ${cause.message}`, { cause })
  }
}
