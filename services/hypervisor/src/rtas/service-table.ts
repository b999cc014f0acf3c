/** The RTAS services of this firmware: counts of cells and what each does. */
import type { RtasServiceName } from '@fadump-lab/shared/rtas'
import { configureKernelDumpService } from './configure-kernel-dump.ts'
import { nmiInterlock, nmiRegister } from './nmi.ts'
import { osTerm } from './os-term.ts'
import { powerOffService, systemReboot } from './power.ts'
import type { RtasServiceDefinition } from './rtas-request.ts'

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
