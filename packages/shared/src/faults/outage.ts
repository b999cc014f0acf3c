/** A server that is away from the strike on, for as long as the fault says. */
import type { ServiceFaultName } from '../contracts/index.ts'
import type { Occasion } from './fault-plan.ts'
import type { FaultTools } from './fault-tools.ts'

export type Outage = (occasion: Occasion) => boolean

/** Tells of each call whether it meets the outage. */
export function outageOf(name: ServiceFaultName, { plan, clock }: FaultTools): Outage {
  let until = -Infinity
  return (occasion) => {
    if (clock.now() < until) return true
    const strike = plan.strike(name, occasion)
    if (strike === undefined) return false
    until = clock.now() + strike.value
    return true
  }
}
