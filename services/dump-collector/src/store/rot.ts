/** A stored dump that is not any more what was verified says so from then on. */
import { captureMachine, type Dump } from '@fadump-lab/shared/contracts'
import type { EventLog } from '@fadump-lab/shared/queue'
import type { Clock } from '@fadump-lab/shared/runtime'
import type { Logger, Metrics } from '@fadump-lab/shared/telemetry'
import { invariant } from '@fadump-lab/shared/units'
import type { Verification } from '../manifest/verify-file.ts'
import { writeDump } from './dump-file.ts'
import type { StoredDump } from './dump-index.ts'
import type { Files } from './files.ts'
import { writeSummary } from './summary.ts'

export interface RotTools {
  readonly root: string
  readonly files: Files
  readonly events: EventLog
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
}

export interface Rot {
  readonly failure: string
  /** `undefined` when nothing can be vouched for: the manifest is damaged, or the vmcore is gone. */
  readonly found: Verification | undefined
}

/** `partial` with the exact ranges that are not good any more; `failed` when nothing is. */
export async function labelRotten(tools: RotTools, stored: StoredDump, rot: Rot): Promise<Dump> {
  const { files, clock, events, logger, metrics } = tools
  const { place, dump } = stored
  const { failure, found } = rot
  const to = dump.step === 'failed' ? 'failed' : captureMachine.next(dump.step, 'rot')
  invariant(to !== undefined, `a dump in step ${dump.step} is not at rest`)
  const isPartial = found !== undefined && found.good > 0
  const labelled: Dump = {
    ...dump,
    status: isPartial ? 'partial' : 'failed',
    step: to,
    missing: isPartial ? [...found.bad] : [],
    failure: failure.slice(0, 1024),
    scrubbedAt: clock.iso(),
  }
  await writeDump(files, place, labelled)
  if (found !== undefined) await writeSummary(files, place, labelled)
  metrics.count('fadump_dumps_rotten_total')
  logger.error({ dump: dump.id, failure }, 'a stored dump is rotten')
  const rottenBytes = found?.bad.reduce((sum, { length }) => sum + length, 0n) ?? dump.sizeBytes
  await events.append({
    time: clock.iso(),
    service: 'dump-collector',
    aggregate: 'dump',
    subject: dump.id,
    event: 'rot',
    from: dump.step,
    to,
    correlationId: dump.correlationId,
    detail: { status: labelled.status, failure, rottenBytes: Number(rottenBytes) },
  })
  return labelled
}
