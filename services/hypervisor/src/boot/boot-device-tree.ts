/** The device tree of a partition's present boot, for whoever asks for it. */
import { partitionMachine, type PartitionState } from '@fadump-lab/shared/contracts'
import type { FirmwareRecord } from '../partition/firmware-record.ts'
import { wrongState } from '../partition/lifecycle.ts'
import { deviceTreeOf } from './device-tree.ts'

/** A partition that is off has not been given a device tree. */
const bootedStates: readonly PartitionState[] = partitionMachine.states.filter(
  (state) => state !== 'not-activated',
)

/** Errors: `wrong-state`. */
export function bootDeviceTree(record: FirmwareRecord): Uint8Array {
  if (!bootedStates.includes(record.state)) throw wrongState(record, 'a device tree', bootedStates)
  return deviceTreeOf(record)
}
