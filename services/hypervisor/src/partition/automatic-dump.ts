/**
 * `max_time_auto` of the dump memory structure (spec §4.1): how many milliseconds after a system reset the kernel has to
 * unregister its dump. If it has not by then, firmware dumps by itself; 0 means never (C027).
 */
import { delayMsMax } from '@fadump-lab/shared/runtime'
import type { Epoch } from '@fadump-lab/shared/store'
import type { HypervisorContext } from '../deps.ts'
import { dumpStructureOf, personalityOf } from '../fadump/firmware-dump.ts'
import { dumpStep } from '../rtas/os-term.ts'
import type { FirmwareRecord } from './firmware-record.ts'
import type { Held, Partitions, Step } from './partitions.ts'

interface Given {
  readonly deps: Pick<HypervisorContext, 'clock'>
  readonly partitions: Partitions
}

/** The step after a kernel has taken a system reset in the boot `epoch`: from now on its time counts. */
export function afterSystemReset(
  { record, epoch }: Held,
  given: { readonly epoch: Epoch; readonly now: number },
): Step<undefined> {
  const maxTimeAuto = maxTimeAutoOf(record)
  if (maxTimeAuto === 0 || epoch !== given.epoch) return { result: undefined }
  return {
    result: undefined,
    record: { ...record, automaticDump: { epoch, at: given.now + maxTimeAuto } },
    transitions: [
      { aggregate: 'registration', event: 'automatic-dump-armed', detail: { maxTimeAuto } },
    ],
  }
}

/** Waits for the time of the partition's automatic dump, if it has one, and dumps what is still registered then. */
export async function awaitAutomaticDump(
  { deps, partitions }: Given,
  id: string,
  signal: AbortSignal,
): Promise<void> {
  const awaited = (await partitions.readOrGone(id))?.record.automaticDump
  if (awaited === undefined) return
  for (let left = awaited.at - deps.clock.now(); left > 0; left = awaited.at - deps.clock.now()) {
    await deps.clock.sleep(Math.min(left, delayMsMax), signal)
  }
  if ((await partitions.readOrGone(id)) === undefined) return
  await partitions.update(id, undefined, ({ record, epoch }) => {
    const isDue =
      record.automaticDump?.at === awaited.at &&
      epoch === awaited.epoch &&
      record.registration === 'registered'
    if (!isDue) return { result: undefined }
    const { automaticDump: _awaited, ...rest } = record
    return dumpStep(rest, 'max_time_auto has passed since the system reset')
  })
}

function maxTimeAutoOf(record: FirmwareRecord): number {
  if (record.registration !== 'registered' || !personalityOf(record).dumpsAlone) return 0
  return dumpStructureOf(record)?.header.maxTimeAuto ?? 0
}
