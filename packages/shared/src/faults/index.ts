/** Faults on purpose: the plan of what strikes where, and decorators of ports that follow it. */
export {
  armedFaultsMax,
  FaultPlan,
  type Aim,
  type FaultPlanOptions,
  type Occasion,
  type Strike,
} from './fault-plan.ts'
export {
  FaultTools,
  ProcessEndedError,
  tellingPlan,
  type FaultToolsOptions,
  type TellingPlanOptions,
} from './fault-tools.ts'
export { processFaults } from './process-faults.ts'
export { faultyClock } from './faulty-clock.ts'
export { partitionOfDump } from './exchange.ts'
export { faultyEvents } from './faulty-events.ts'
export { faultyFetch } from './faulty-fetch.ts'
export { faultyQueues } from './faulty-queues.ts'
export { faultyStore } from './faulty-store.ts'
export { outageOf, type Outage } from './outage.ts'
export { faultHandlers } from './handlers.ts'
export { withFaults, type FaultyPorts } from './with-faults.ts'
