/** Tools with faults armed, on a clock that moves when told; and what they told. */
import { newFault } from '../../contracts/index.ts'
import { createHeapEventLog } from '../../queue/index.ts'
import { VirtualClock } from '../../runtime/index.ts'
import { FaultTools, tellingPlan } from '../fault-tools.ts'
import type { FaultPlan } from '../fault-plan.ts'

export interface ArmedTools {
  readonly tools: FaultTools
  readonly plan: FaultPlan
  readonly clock: VirtualClock
  /** How often each armed fault has struck, in the order of arming. */
  readonly struck: () => readonly number[]
  /** Times that the process was to end. */
  readonly aborts: () => number
  /** `what` of each strike that was told. */
  readonly told: () => Promise<readonly unknown[]>
}

export function armedTools(service: FaultPlan['service'], ...forms: readonly object[]): ArmedTools {
  const clock = new VirtualClock()
  const events = createHeapEventLog()
  const plan = tellingPlan({ service, events, clock })
  let aborts = 0
  const tools = new FaultTools({ plan, clock, abort: () => void (aborts += 1) })
  for (const [index, form] of forms.entries()) plan.arm(`f-${index}`, newFault.parse(form))
  return {
    tools,
    plan,
    clock,
    struck: () => plan.list().map(({ struck }) => struck),
    aborts: () => aborts,
    told: async () =>
      (await events.read(undefined, 1000)).map(({ event }) => event.detail?.['what']),
  }
}
