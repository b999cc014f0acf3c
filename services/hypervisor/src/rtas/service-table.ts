/** The RTAS services of this firmware: counts of cells and what each does. */
import type { RtasServiceName } from '@fadump-lab/shared/rtas'
import type { HypervisorContext } from '../deps.ts'
import type { Held, Step } from '../partition/partitions.ts'
import { configureKernelDumpService } from './configure-kernel-dump.ts'
import { nmiInterlock, nmiRegister } from './nmi.ts'
import { osTerm } from './os-term.ts'
import { powerOffService, systemReboot } from './power.ts'

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

export const rtasServiceTable: Readonly<Partial<Record<RtasServiceName, RtasServiceDefinition>>> = {
  'ibm,configure-kernel-dump': {
    argumentCount: 3,
    returnCount: 1,
    serve: configureKernelDumpService,
  },
  'ibm,os-term': { argumentCount: 1, returnCount: 1, serve: osTerm },
  'ibm,nmi-register': { argumentCount: 2, returnCount: 1, serve: nmiRegister },
  'ibm,nmi-interlock': { argumentCount: 0, returnCount: 1, serve: nmiInterlock },
  'system-reboot': { argumentCount: 0, returnCount: 1, serve: systemReboot },
  'power-off': { argumentCount: 2, returnCount: 1, serve: powerOffService },
}
