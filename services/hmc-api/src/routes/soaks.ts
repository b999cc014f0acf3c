/** Soaks: started by operators, with faults by administrators. */
import { Problem, type hmcRoutes, type NewSoak } from '@fadump-lab/shared/contracts'
import type { Handlers } from '@fadump-lab/shared/http'
import type { Caller } from '@fadump-lab/shared/identity'
import type { Soaks } from '../soaks/soaks.ts'

type Names = 'startSoak' | 'listSoaks' | 'getSoak' | 'getSoakReport' | 'stopSoak'

export function soakHandlers(
  soaks: Soaks,
  areFaultsEnabled: boolean,
): Pick<Handlers<typeof hmcRoutes>, Names> {
  return {
    startSoak: ({ body, caller, correlationId }, reply) => {
      requireAdministrator(body, caller)
      requireFaults(body, areFaultsEnabled)
      const soak = soaks.start(body, correlationId)
      reply.header('location', `/v1/soaks/${soak.id}`)
      return Promise.resolve(soak)
    },
    listSoaks: () => Promise.resolve(soaks.list()),
    getSoak: ({ params }) => Promise.resolve(soaks.get(params.soak)),
    getSoakReport: ({ params }) => Promise.resolve(soaks.report(params.soak)),
    stopSoak: ({ params }) => Promise.resolve(soaks.stop(params.soak)),
  }
}

/** Faults hit whoever uses the machine room: whoever plans them has to be allowed to arm them. */
function requireAdministrator({ faults }: NewSoak, caller: Caller): void {
  if (faults === 'none' || (caller.kind === 'user' && caller.role === 'administrator')) return
  throw new Problem(
    'forbidden',
    'a soak with faults is for the role administrator; with "faults": "none" an operator may start it',
  )
}

function requireFaults({ faults }: NewSoak, areEnabled: boolean): void {
  if (faults === 'none' || areEnabled) return
  throw new Problem(
    'faults-disabled',
    'a soak with faults needs services that were started with FAULTS_ENABLED=true',
  )
}
