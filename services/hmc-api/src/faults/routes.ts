/** Faults over HTTP. Arming and disarming is told in the event stream with who did it. */
import type { hmcRoutes, LabEvent } from '@fadump-lab/shared/contracts'
import type { Handlers, Input } from '@fadump-lab/shared/http'
import type { AuditTrail } from '@fadump-lab/shared/identity'
import type { RoomFaults } from './room-faults.ts'

type FaultRoute = 'listFaults' | 'armFault' | 'disarmFaults' | 'disarmFault'
type Asked = Pick<Input<never>, 'caller' | 'correlationId'>

export function faultHandlers(
  faults: RoomFaults,
  trail: AuditTrail,
): Pick<Handlers<typeof hmcRoutes>, FaultRoute> {
  const tell = (
    asked: Asked,
    row: { subject: string; event: string; detail?: LabEvent['detail'] },
  ) => {
    const { caller, correlationId } = asked
    const by = caller.kind === 'user' ? caller.name : caller.kind
    return trail.record({
      ...row,
      aggregate: 'fault',
      correlationId,
      detail: { ...row.detail, by },
    })
  }
  return {
    listFaults: () => faults.list(),
    armFault: async ({ body, ...asked }) => {
      const armed = await faults.arm(body)
      const { id, name, times, scope } = armed
      const where = Object.entries(scope).map(([of, value]) => `${of} ${value}`)
      const detail = { fault: name, times, scope: where.join(', ') || 'all' }
      await tell(asked, { subject: id, event: 'armed', detail })
      return armed
    },
    disarmFaults: async (asked) => {
      await faults.disarmAll()
      await tell(asked, { subject: 'all', event: 'disarmed' })
      return undefined
    },
    disarmFault: async ({ params, ...asked }) => {
      await faults.disarm(params.fault)
      await tell(asked, { subject: params.fault, event: 'disarmed' })
      return undefined
    },
  }
}
