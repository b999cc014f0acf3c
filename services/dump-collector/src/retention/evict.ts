/** Removal of a dump by retention: told, counted, and never silent. */
import type { EventLog } from '@fadump-lab/shared/queue'
import type { Clock } from '@fadump-lab/shared/runtime'
import type { Logger, Metrics } from '@fadump-lab/shared/telemetry'
import { deleteDump } from '../store/delete-dump.ts'
import type { DumpIndex } from '../store/dump-index.ts'
import type { Files } from '../store/files.ts'
import type { Eviction } from './plan.ts'

export interface EvictionTools {
  readonly root: string
  readonly files: Files
  readonly index: DumpIndex
  readonly events: EventLog
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
}

/** Leaves a dump alone that has been pinned, opened again or removed since the plan was made. */
export async function evict(tools: EvictionTools, { stored, reason }: Eviction): Promise<void> {
  const { root, files, index, events, clock, logger, metrics } = tools
  const { id, step, storedBytes, partition, correlationId } = stored.dump
  const present = await index.find(id)
  const isSame = present?.place.directory === stored.place.directory && present.dump.step === step
  if (!isSame || present.dump.pinned || index.isLive(id)) return
  // Told before it is done: a disk that fails, or the end of the process, in the middle of it must not make it silent.
  await events.append({
    time: clock.iso(),
    service: 'dump-collector',
    aggregate: 'dump',
    subject: id,
    event: 'evicted',
    from: step,
    correlationId,
    detail: { reason, partition, storedBytes: Number(storedBytes) },
  })
  await deleteDump(files, root, stored.place)
  metrics.count('fadump_dumps_evicted_total', { reason })
  logger.info({ dump: id, reason, storedBytes: Number(storedBytes) }, 'dump evicted')
}
