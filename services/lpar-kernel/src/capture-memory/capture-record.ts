/** What the record of a capture kernel keeps of its memory: the system it is, and how far it has come. */
import { enteredPhase, systemDescription } from '@fadump-lab/shared/contracts'
import {
  completeSystem,
  checkValues,
  rehearse,
  type CaptureSystem,
  type Rehearsal,
} from '@fadump-lab/shared/capture-memory'
import { invariant } from '@fadump-lab/shared/units'
import { z } from 'zod'
import { CaptureLife } from './capture-life.ts'

export const captureRecord = z.strictObject({
  system: systemDescription,
  timeline: z.array(enteredPhase),
  /** Why it has failed, in one sentence. */
  failure: z.string().optional(),
  /** Boots in a row that have failed to save this dump, this one included when it has failed. */
  failedBoots: z.int().min(0),
})
export type CaptureRecord = Readonly<z.output<typeof captureRecord>>

/** A system as a description that leads to it again: with every setting stated. */
export function toDescription(system: CaptureSystem): CaptureRecord['system'] {
  const { card, initramfsMiB, rootfsMiB, ...rest } = system
  return {
    ...rest,
    card: card ?? 'none',
    // Queues belong to a card.
    queues: card === undefined ? undefined : system.queues,
    initramfsMiB,
    rootfsMiB,
  }
}

export function systemOf({ system }: Pick<CaptureRecord, 'system'>): CaptureSystem {
  const checked = checkValues(system)
  const completed = checked.isAccepted ? completeSystem(checked.description) : checked
  invariant(completed.isAccepted, 'the record holds a system that was accepted before')
  return completed.system
}

/** The life as far as the record says that it has come: the same allocations on the same pages. */
export function lifeOf(record: CaptureRecord): CaptureLife {
  const life = new CaptureLife(systemOf(record))
  const last = record.timeline.at(-1)?.phase
  if (last !== undefined) life.through(last)
  return life
}

export function rehearsalOf(record: CaptureRecord): Rehearsal {
  return rehearse(systemOf(record))
}

/** The record of a kernel that has lived so far; `failedBoots` counts the boots before this one. */
export function recordOf(
  life: CaptureLife,
  { enteredAt, failedBoots = 0 }: { readonly enteredAt: string; readonly failedBoots?: number },
): CaptureRecord {
  const timeline = life.timeline.map((use) => ({ ...use, enteredAt }))
  const system = toDescription(life.system)
  if (life.shortage === undefined) return { system, timeline, failedBoots }
  const { explanation } = rehearse(life.system)
  return { system, timeline, failure: explanation, failedBoots: failedBoots + 1 }
}

/** The record with the phases that were entered since; those before keep their times. */
export function livedOn(
  record: CaptureRecord,
  life: CaptureLife,
  enteredAt: string,
): CaptureRecord {
  const { failedBoots } = record
  const now = recordOf(life, { enteredAt, failedBoots })
  return { ...now, timeline: [...record.timeline, ...now.timeline.slice(record.timeline.length)] }
}
