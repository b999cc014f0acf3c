/** One RTAS call: cells in, cells out, and what it does to the partition in one step. */
import { Problem } from '@fadump-lab/shared/contracts'
import {
  decodeRtasCall,
  encodeRtasReply,
  RtasCallError,
  rtasServiceOf,
  rtasStatus,
  type RtasCall,
  type RtasServiceName,
} from '@fadump-lab/shared/rtas'
import type { HypervisorContext } from '../deps.ts'
import { requirePresentBoot } from '../partition/present-boot.ts'
import { requireKernel } from '../partition/lifecycle.ts'
import type { Held, Partitions, Step } from '../partition/partitions.ts'
import type { RtasReturn, RtasServiceDefinition } from './rtas-request.ts'
import { rtasServiceTable } from './service-table.ts'

export interface RtasExchange {
  readonly partition: string
  readonly epoch: number
  /** The argument buffer. */
  readonly buffer: Uint8Array
  readonly correlationId: string
}

/**
 * The argument buffer with its return cells filled; empty when the call does not return. Errors: `not-found`,
 * `wrong-state`, `stale-boot`, `invalid-request` for a buffer that is none.
 */
export async function callRtas(
  given: { readonly deps: HypervisorContext; readonly partitions: Partitions },
  exchange: RtasExchange,
): Promise<Uint8Array> {
  const { deps, partitions } = given
  const call = decoded(exchange.buffer)
  const { result } = await partitions.update(
    exchange.partition,
    exchange.correlationId,
    async (held) => {
      requirePresentBoot(held, exchange.epoch)
      requireKernel(held.record, 'an RTAS call')
      return serve(call, { held, deps, correlationId: exchange.correlationId })
    },
  )
  deps.metrics.count('fadump_rtas_calls_total', {
    call: rtasServiceOf(call.token) ?? 'unknown',
    status: result === 'no return' ? 'no return' : String(result[0] ?? 0),
  })
  return result === 'no return' ? new Uint8Array(0) : encodeRtasReply(call, result)
}

async function serve(
  call: RtasCall,
  context: {
    readonly held: Held
    readonly deps: HypervisorContext
    readonly correlationId: string
  },
): Promise<Step<RtasReturn>> {
  const service = definitionOf(call, context.held)
  return service === undefined
    ? { result: [rtasStatus.parameterError] }
    : service.serve({ ...context, args: call.args })
}

/** `undefined` for a token that firmware has not given out, and for counts of cells that are not the service's. */
function definitionOf(call: RtasCall, held: Held): RtasServiceDefinition | undefined {
  const name = rtasServiceOf(call.token)
  if (name === undefined || !isOffered(name, held)) return undefined
  const definition = rtasServiceTable[name]
  const fits =
    definition?.argumentCount === call.args.length && definition.returnCount === call.returnCount
  return fits ? definition : undefined
}

function isOffered(name: RtasServiceName, { record }: Held): boolean {
  return name !== 'ibm,configure-kernel-dump' || record.dumpOption
}

function decoded(buffer: Uint8Array): RtasCall {
  try {
    return decodeRtasCall(buffer)
  } catch (cause) {
    if (!(cause instanceof RtasCallError)) throw cause
    throw new Problem('invalid-request', `body: ${cause.message}`, { cause })
  }
}
