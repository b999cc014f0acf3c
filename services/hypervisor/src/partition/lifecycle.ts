/** Moving a partition through its state table (`contracts/lifecycle.ts`), and the refusal when the table says no. */
import {
  partitionMachine,
  Problem,
  type PartitionState,
  type RegistrationState,
} from '@fadump-lab/shared/contracts'
import type { FirmwareRecord } from './firmware-record.ts'

export type PartitionEvent = (typeof partitionMachine.events)[number]

/** One row for the event stream. */
export interface Transition {
  readonly aggregate: 'partition' | 'registration' | 'dump'
  readonly event: string
  /** Default: the partition. */
  readonly subject?: string
  readonly from?: string
  readonly to?: string
  readonly detail?: Readonly<Record<string, string | number | boolean>>
}

export interface Moved {
  readonly record: FirmwareRecord
  readonly transition: Transition
}

/** `record` after `event`. Throws `wrong-state` with the states that accept it. */
export function moved(
  record: FirmwareRecord,
  event: PartitionEvent,
  detail?: Transition['detail'],
): Moved {
  const to = partitionMachine.next(record.state, event)
  if (to === undefined)
    throw wrongState(record, `the event ${event}`, partitionMachine.statesFor(event))
  return {
    record: { ...record, state: to },
    transition: {
      aggregate: 'partition',
      event,
      from: record.state,
      to,
      ...(detail === undefined ? {} : { detail }),
    },
  }
}

/** The states in which a kernel runs: after an unregistered crash it still reboots by itself. */
const kernelStates: readonly PartitionState[] = partitionMachine.states.filter(
  (state) => state !== 'not-activated' && state !== 'dumping' && state !== 'error',
)

/** Errors: `wrong-state` when no kernel is there to do `operation`. */
export function requireKernel(record: FirmwareRecord, operation: string): void {
  if (!kernelStates.includes(record.state)) throw wrongState(record, operation, kernelStates)
}

/** The registration's change as a row for the event stream; none when it stays what it is. */
export function registrationTransition(
  from: RegistrationState,
  to: RegistrationState,
  event: string,
): readonly Transition[] {
  return from === to ? [] : [{ aggregate: 'registration', event, from, to }]
}

export function wrongState(
  record: FirmwareRecord,
  operation: string,
  allowedStates: readonly PartitionState[],
): Problem {
  return new Problem(
    'wrong-state',
    `partition ${record.id} is ${record.state}; ${operation} needs it to be ${allowedStates.join(' or ')}`,
    { extensions: { state: record.state, allowedStates } },
  )
}
