/** One RTAS call as the services of this firmware see it. */
import type { HypervisorContext } from '../deps.ts'
import type { Held, Step } from '../partition/partitions.ts'

export interface RtasRequest {
  readonly held: Held
  /** Unsigned 32-bit cells; as many as the row says. */
  readonly args: readonly number[]
  readonly correlationId: string
  readonly deps: Pick<HypervisorContext, 'store' | 'logger'>
}

/** Return cells, or a call that does not return because the caller is gone. */
export type RtasReturn = readonly number[] | 'no return'

export interface RtasServiceDefinition {
  readonly argumentCount: number
  readonly returnCount: number
  readonly serve: (request: RtasRequest) => Promise<Step<RtasReturn>>
}
