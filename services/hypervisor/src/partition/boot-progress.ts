/**
 * What a kernel host tells of a boot. Hosts repeat themselves after a restart, so a report of what is already so only
 * refreshes where the partition is reached.
 */
import type { BootProgress, Partition } from '@fadump-lab/shared/contracts'
import type { HypervisorContext } from '../deps.ts'
import { strike } from '../faults/armed-faults.ts'
import { withDma } from '../io/dma-in-flight.ts'
import { decodeTceTable } from '../io/tce-table.ts'
import { dumpGivenUp } from './dump-given-up.ts'
import type { FirmwareRecord } from './firmware-record.ts'
import { moved } from './lifecycle.ts'
import type { Partitions, Step } from './partitions.ts'
import { requirePresentBoot } from './present-boot.ts'
import { readRecord } from './vcpu-access.ts'

/** The states in which a report has come true before. */
const alreadyTrue: Readonly<Record<BootProgress['event'], readonly FirmwareRecord['state'][]>> = {
  booted: ['running', 'capturing'],
  rejected: ['starting', 'running'],
  bootFailed: ['error'],
}

/** Errors: `not-found`, `stale-boot`, `wrong-state`. */
export async function reportBootProgress(
  {
    deps,
    partitions,
  }: { readonly deps: Pick<HypervisorContext, 'store'>; readonly partitions: Partitions },
  id: string,
  report: { readonly progress: BootProgress; readonly correlationId: string },
): Promise<Partition> {
  const { partition } = await partitions.update(id, report.correlationId, async (held) => {
    requirePresentBoot(held, report.progress.epoch)
    const step = progressStep(held.record, report.progress)
    const isCaptureUp =
      held.record.state === 'capture-starting' && step.record.state === 'capturing'
    if (!isCaptureUp) return step
    return withDma(step, decodeTceTable(await readRecord(deps, held, 'tces')))
  })
  return partition
}

function progressStep(
  record: FirmwareRecord,
  progress: BootProgress,
): Step<undefined> & { readonly record: FirmwareRecord } {
  const told = withReport(record, progress)
  if (alreadyTrue[progress.event].includes(record.state)) return { result: undefined, record: told }
  const detail = progress.detail === undefined ? undefined : { detail: progress.detail }
  if (progress.event === 'rejected') return dumpGivenUp(told, 'rejected', detail)
  const { record: next, transition } = moved(told, progress.event, detail)
  // It holds as long as it is armed; a kernel that has come up has read the device tree without the property.
  const without = strike(next, 'no-extended-os-term')
  return {
    result: undefined,
    record: without?.record ?? next,
    transitions: [transition, ...(without === undefined ? [] : [without.transition])],
  }
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
