/** The memory of a capture kernel at its boot: which system it is, and what of its life goes into the record. */
import { describeRefusal, type DescribedSystem } from '@fadump-lab/shared/capture-memory'
import type { ReservationPlan } from '@fadump-lab/shared/fadump'
import { CaptureLife } from '../capture-memory/capture-life.ts'
import {
  lifeOf,
  recordOf,
  rehearsalOf,
  type CaptureRecord,
} from '../capture-memory/capture-record.ts'
import { describeCapture } from '../capture-memory/describe-capture.ts'
import { measure } from '../capture-memory/measure.ts'
import type { KernelHost } from '../kernel/kernel-host.ts'
import type { RunningKernel } from '../kernel/running-kernel.ts'
import { BootFailure, memoryBytesOf, type BootContext } from './boot-context.ts'

/** A life that has not begun. Throws `BootFailure` when the settings of the partition go together with nothing. */
export function captureLifeOf(
  context: BootContext,
  plan: ReservationPlan,
  windowMiB: number,
): CaptureLife {
  const { partition, profile, facts } = context
  const described = describeCapture({
    partition,
    memoryBytes: memoryBytesOf(facts),
    bootMemoryBytes: plan.bootMemorySize,
    pageBytes: profile.pageSize,
    commandLine: facts.bootArguments,
    nrCpusMax: profile.nrCpus,
    windowMiB,
  })
  if (described.isAccepted) return new CaptureLife(described.system)
  throw new BootFailure(refusalText(partition.id, described))
}

function refusalText(
  partition: string,
  { refusals }: Extract<DescribedSystem, { readonly isAccepted: false }>,
): string {
  const why = refusals.map(describeRefusal).join('; ')
  return `the capture kernel of partition ${partition} is described by settings that do not go together: ${why}`
}

/** What the record keeps; boots before this one that could not save the dump are counted. */
export function recordedLife({ before, clock }: BootContext, life: CaptureLife): CaptureRecord {
  return recordOf(life, { enteredAt: clock.iso(), failedBoots: before.failedBoots })
}

/**
 * Runs the capture under a real memory limit, if there is one, as far as its memory should last. Throws `BootFailure`
 * when the process is killed where the account has it live: what happened counts, not what was predicted.
 */
export async function requireRealMemory(host: KernelHost, kernel: RunningKernel): Promise<void> {
  const { capture } = kernel.record
  const reached = capture?.timeline.at(-1)?.phase
  if (capture === undefined || reached === undefined) return
  const { failure, explanation } = rehearsalOf(capture)
  const last = failure === undefined ? 'done' : reached
  const measured = await measure(host, kernel, { life: lifeOf(capture), last })
  if (measured?.outcome.end !== 'killed') return
  await kernel.update({ isHalted: true })
  throw new BootFailure(`${measured.sentence} The account says otherwise: ${explanation}`)
}
