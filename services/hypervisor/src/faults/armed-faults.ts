/** The armed faults of a partition's firmware: arming, and striking when their time has come. */
import {
  firmwareFaults,
  Problem,
  type FaultValue,
  type FirmwareFault,
  type FirmwareFaultName,
  type FirmwareFaultRow,
  type NewFirmwareFault,
} from '@fadump-lab/shared/contracts'
import type { FirmwareRecord } from '../partition/firmware-record.ts'
import type { Transition } from '../partition/lifecycle.ts'
import type { Partitions } from '../partition/partitions.ts'

/** What one strike leaves behind. */
export interface Strike {
  /** The value of the fault, or its default; absent for a `bytes` fault without one. */
  readonly value: number | undefined
  /** With the strike counted. */
  readonly record: FirmwareRecord
  readonly transition: Transition
}

const flagsMax = 0xffff
const statusMin = -0x8000_0000
const statusMax = 0x7fff_ffff

const ranges: Readonly<Record<Exclude<FaultValue, 'none'>, readonly [min: number, max: number]>> = {
  'rtas-status': [statusMin, statusMax],
  flags: [0, flagsMax],
  bytes: [0, Number.MAX_SAFE_INTEGER],
  count: [1, flagsMax],
}

/** Errors: `not-found`, `invalid-configuration`. */
export async function armFault(
  partitions: Partitions,
  id: string,
  given: { readonly fault: NewFirmwareFault; readonly correlationId: string },
): Promise<FirmwareFault> {
  const fault = { ...given.fault, hits: 0 }
  checkValue(fault)
  await partitions.update(id, given.correlationId, ({ record }) => ({
    result: undefined,
    record: { ...record, faults: [...without(record, fault.name), fault] },
    transitions: [faultEvent('fault-armed', fault)],
  }))
  return fault
}

/** Errors: `not-found`. */
export async function disarmFaults(
  partitions: Partitions,
  id: string,
  correlationId: string,
): Promise<void> {
  await partitions.update(id, correlationId, ({ record }) =>
    record.faults.length === 0
      ? { result: undefined }
      : {
          result: undefined,
          record: { ...record, faults: [] },
          transitions: [{ aggregate: 'partition', event: 'faults-disarmed' }],
        },
  )
}

/** Whether a fault that has no moment of its own holds. */
export function isArmed(record: Pick<FirmwareRecord, 'faults'>, name: FirmwareFaultName): boolean {
  return record.faults.some((fault) => fault.name === name)
}

/** Strikes when the fault is armed and not spent. */
export function strike(record: FirmwareRecord, name: FirmwareFaultName): Strike | undefined {
  const fault = record.faults.find((armed) => armed.name === name && armed.hits < armed.times)
  if (fault === undefined) return undefined
  const struck = { ...fault, hits: fault.hits + 1 }
  return {
    value: fault.value ?? rowOf(name).default,
    record: {
      ...record,
      faults: record.faults.map((armed) => (armed === fault ? struck : armed)),
    },
    transition: faultEvent('fault-struck', struck),
  }
}

function checkValue({ name, value }: FirmwareFault): void {
  const { value: kind } = rowOf(name)
  if (value === undefined) return
  if (kind === 'none') {
    throw new Problem('invalid-configuration', `the fault ${name} takes no value, not ${value}`)
  }
  const [min, max] = ranges[kind]
  if (value < min || value > max) {
    throw new Problem(
      'invalid-configuration',
      `the value of the fault ${name} (${kind}) must be ${min} to ${max}, not ${value}`,
    )
  }
}

function rowOf(name: FirmwareFaultName): FirmwareFaultRow {
  return firmwareFaults[name]
}

function without(record: FirmwareRecord, name: FirmwareFaultName): readonly FirmwareFault[] {
  return record.faults.filter((fault) => fault.name !== name)
}

function faultEvent(event: string, { name, value, hits, times }: FirmwareFault): Transition {
  return {
    aggregate: 'partition',
    event,
    detail: { fault: name, hits, times, ...(value === undefined ? {} : { value }) },
  }
}
