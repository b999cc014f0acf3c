/** The faults that answer an RTAS call. */
import type { FirmwareFaultName } from '@fadump-lab/shared/contracts'
import type { FirmwareRecord } from '../partition/firmware-record.ts'
import type { Step } from '../partition/partitions.ts'
import { strike } from './armed-faults.ts'

/** The step of a call that answers what the fault `name` says; `undefined` unless it strikes. */
export function statusStrike(
  record: FirmwareRecord,
  name: FirmwareFaultName,
): Step<readonly number[]> | undefined {
  const struck = strike(record, name)
  if (struck === undefined) return undefined
  return {
    result: [struck.value ?? 0],
    record: struck.record,
    transitions: [struck.transition],
  }
}
