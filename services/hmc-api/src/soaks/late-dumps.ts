/** Dumps that are told of after their crash: captures that were cut off end when their collector gives up. */
import { patient } from '../patience.ts'
import type { Hands } from './hands.ts'

const waitMs = 60_000
const pauseMs = 200

/** Removes what is left of a partition that is gone; one that claims to be complete is one that nobody has compared. */
export async function clearLate(hands: Hands): Promise<string[]> {
  const { clock } = hands.deps
  const reasons: string[] = []
  const started = clock.now()
  for (;;) {
    const left = await hands.dumps()
    for (const { id, status, failure } of left) {
      if (status === 'capturing') continue
      if (status !== 'failed')
        reasons.push(`${id} was told of as ${status} after its crash had been accounted for`)
      else if (failure === undefined) reasons.push(`${id} failed without a cause`)
      await patient(() => hands.deleteDump(id))
    }
    if (left.length === 0) return reasons
    if (clock.now() - started > waitMs)
      return [...reasons, `${left[0]?.id} is still being captured`]
    await clock.sleep(pauseMs)
  }
}
