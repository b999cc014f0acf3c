/** The end of a dump as firmware sees it: its kernel has released or rejected it. */
import type { FirmwareRecord } from './firmware-record.ts'
import { moved, registrationTransition, type Transition } from './lifecycle.ts'
import type { Step } from './partitions.ts'

/** The partition moves on by `event`, and its dump is gone. Errors: `wrong-state`. */
export function dumpGivenUp(
  record: FirmwareRecord,
  event: 'rejected' | 'released',
  detail?: Transition['detail'],
): Step<undefined> & { readonly record: FirmwareRecord } {
  const { record: next, transition } = moved(record, event, detail)
  const { transitions = [], ...step } = withoutDump(next, event, detail)
  return { ...step, transitions: [transition, ...transitions] }
}

/** Firmware forgets the structure; `ibm,kernel-dump` is absent from the next boot's device tree (C021). */
export function withoutDump(
  record: FirmwareRecord,
  event: string,
  detail?: Transition['detail'],
): Step<undefined> & { readonly record: FirmwareRecord } {
  const { dumpStructure: _structure, pendingDump, ...rest } = record
  const dump: Transition | undefined =
    pendingDump === undefined
      ? undefined
      : {
          aggregate: 'dump',
          event,
          subject: pendingDump,
          ...(detail === undefined ? {} : { detail }),
        }
  return {
    result: undefined,
    record: { ...rest, registration: 'idle' },
    transitions: [
      ...registrationTransition(record.registration, 'idle', 'invalidate'),
      ...(dump === undefined ? [] : [dump]),
    ],
  }
}
