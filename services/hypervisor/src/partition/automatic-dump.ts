/**
 * Dumps by time after a system reset. Two clocks run, and the first to end dumps what is still registered then:
 *
 * - `max_time_auto` of the dump memory structure (spec §4.1): how many milliseconds the kernel has to unregister its dump;
 *   0 means for ever (C027).
 * - The interlock (PAPR R1-7.3.30-3): a system reset without `ibm,nmi-interlock` is firmware's to dump (C026). PAPR says
 *   nothing of how long firmware waits for the call; here as long as for a host to take the interrupt. A kernel that dies
 *   by itself is gone before.
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
  given: { readonly epoch: Epoch; readonly now: number; readonly interlockMs: number },
): Step<undefined> {
  const isWatched = record.registration === 'registered' && personalityOf(record).dumpsAlone
  if (!isWatched || epoch !== given.epoch) return { result: undefined }
  const maxTimeAuto = maxTimeAutoOf(record)
  const awaitedInterlock = { epoch, at: given.now + given.interlockMs }
  return {
    result: undefined,
    record: {
      ...record,
      awaitedInterlock,
      ...(maxTimeAuto === 0 ? {} : { automaticDump: { epoch, at: given.now + maxTimeAuto } }),
    },
    transitions: [
      {
        aggregate: 'registration',
        event: 'automatic-dump-armed',
        detail: { interlockMs: given.interlockMs, maxTimeAuto },
      },
    ],
  }
}

/** The clocks: which fact of the record, and what firmware says when its time has come. */
const clocks = {
  automaticDump: 'max_time_auto has passed since the system reset',
  awaitedInterlock: 'system reset without ibm,nmi-interlock',
} as const

export type DumpClock = keyof typeof clocks
export const dumpClocks = Object.keys(clocks) as DumpClock[]

/** Waits for the time of one clock of the partition, if it runs, and dumps what is still registered then. */
export async function awaitAutomaticDump(
  { deps, partitions }: Given,
  watched: { readonly id: string; readonly clock: DumpClock },
  signal: AbortSignal,
): Promise<void> {
  const { id, clock } = watched
  const awaited = (await partitions.readOrGone(id))?.record[clock]
  if (awaited === undefined) return
  for (let left = awaited.at - deps.clock.now(); left > 0; left = awaited.at - deps.clock.now()) {
    await deps.clock.sleep(Math.min(left, delayMsMax), signal)
  }
  if ((await partitions.readOrGone(id)) === undefined) return
  await partitions.update(id, undefined, ({ record, epoch }) => {
    const isDue =
      record[clock]?.at === awaited.at &&
      epoch === awaited.epoch &&
      record.registration === 'registered'
    if (!isDue) return { result: undefined }
    const { automaticDump: _automatic, awaitedInterlock: _interlock, ...rest } = record
    return dumpStep(rest, clocks[clock])
  })
}

function maxTimeAutoOf(record: FirmwareRecord): number {
  return dumpStructureOf(record)?.header.maxTimeAuto ?? 0
}
