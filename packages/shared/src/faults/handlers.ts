/** The routes of one service’s faults. */
import { Problem, type faultRoutes } from '../contracts/index.ts'
import type { Handlers } from '../http/index.ts'
import type { FaultPlan } from './fault-plan.ts'

/** `plan` is absent in a process that was started without faults: it tells so and arms nothing. */
export function faultHandlers(plan: FaultPlan | undefined): Handlers<typeof faultRoutes> {
  const enabled = () => {
    if (plan !== undefined) return plan
    throw new Problem('faults-disabled', 'this process was started without FAULTS_ENABLED=true')
  }
  return {
    listFaults: async () => ({ isEnabled: plan !== undefined, armed: [...(plan?.list() ?? [])] }),
    armFault: async ({ body }) => enabled().arm(body.id, body.fault),
    disarmFaults: async () => {
      enabled().disarmAll()
      return undefined
    },
    disarmFault: async ({ params }) => {
      enabled().disarm(params.fault)
      return undefined
    },
  }
}
