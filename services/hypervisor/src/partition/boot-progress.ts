/**
 * What a kernel host tells of a boot. Hosts repeat themselves after a restart, so a report of what is already so only
 * refreshes where the partition is reached.
 */
import { Problem, type BootProgress, type Partition } from '@fadump-lab/shared/contracts'
import { dumpGivenUp } from './dump-given-up.ts'
import type { FirmwareRecord } from './firmware-record.ts'
import { moved } from './lifecycle.ts'
import type { Held, Partitions, Step } from './partitions.ts'

/** The states in which a report has come true before. */
const alreadyTrue: Readonly<Record<BootProgress['event'], readonly FirmwareRecord['state'][]>> = {
  booted: ['running', 'capturing'],
  rejected: ['starting', 'running'],
  bootFailed: ['error'],
}

/** Errors: `not-found`, `stale-boot`, `wrong-state`. */
export async function reportBootProgress(
  partitions: Partitions,
  id: string,
  report: { readonly progress: BootProgress; readonly correlationId: string },
): Promise<Partition> {
  const { partition } = await partitions.update(id, report.correlationId, (held) => {
    requirePresentBoot(held, report.progress.epoch)
    return progressStep(held.record, report.progress)
  })
  return partition
}

/** Errors: `stale-boot` when `epoch` is not the generation of the present boot. */
export function requirePresentBoot({ record, epoch }: Held, asked: number): void {
  if (epoch === asked) return
  throw new Problem(
    'stale-boot',
    `boot ${asked} of partition ${record.id} is over; the present one is ${epoch}`,
    { extensions: { epoch } },
  )
}

function progressStep(record: FirmwareRecord, progress: BootProgress): Step<undefined> {
  const told = withReport(record, progress)
  if (alreadyTrue[progress.event].includes(record.state)) return { result: undefined, record: told }
  const detail = progress.detail === undefined ? undefined : { detail: progress.detail }
  if (progress.event === 'rejected') return dumpGivenUp(told, 'rejected', detail)
  const { record: next, transition } = moved(told, progress.event, detail)
  return { result: undefined, record: next, transitions: [transition] }
}

function withReport(
  record: FirmwareRecord,
  { partitionUrl, detail }: BootProgress,
): FirmwareRecord {
  return {
    ...record,
    ...(partitionUrl === undefined ? {} : { partitionUrl }),
    ...(detail === undefined ? {} : { lastFailure: detail }),
  }
}
