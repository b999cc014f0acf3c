/** When a partition has come to rest after its crash, and what an operator does to help it there. */
import { Problem, type Partition } from '@fadump-lab/shared/contracts'
import type { Stage } from './stage.ts'
import { wantsRegistration } from './verify.ts'

/** How long an operator leaves a partition terminated that restarts by itself: its kernel has one call left to make. */
const terminatedMsMax = 30_000

export function comeToRest(stage: Stage): Promise<Partition> {
  const { hands } = stage
  const restartTerminated = whenTerminated(stage)
  return hands.until(
    'come to rest',
    async (now) => {
      if (isAtRest(stage, now)) return true
      await restartStopped(stage, now)
      await restartTerminated(now)
      if (stage.expected.endState === 'running') await activateAgain(stage, now)
      await releaseWhatIsStored(stage, now)
      return false
    },
    'is switched on',
  )
}

function isAtRest(stage: Stage, now: Partition): boolean {
  const { expected, lostMemory } = stage
  if (now.state === 'error') return expected.moreCrashes === 0
  if (now.state !== expected.endState) return false
  if (expected.endState === 'not-activated') return true
  const isOver = hasCrashed(stage, now) || lostMemory()
  return isOver && now.pendingDump === undefined && isSettled(now)
}

/** As often as it was to. A crash without a dump is a later boot, and no more. */
function hasCrashed({ expected: { moreCrashes }, before }: Stage, now: Partition): boolean {
  if (moreCrashes > 0) return now.crashes > before.crashes + moreCrashes
  return now.crashes > before.crashes || now.epoch > before.epoch
}

/** A host that is killed between `ibm,os-term` and `system-reboot` leaves a partition that an operator restarts. */
function whenTerminated({ hands, isDisturbed }: Stage): (now: Partition) => Promise<void> {
  const { clock } = hands.deps
  let wasUpAt = clock.now()
  return async ({ state }) => {
    if (state !== 'terminated') wasUpAt = clock.now()
    else if (isDisturbed && clock.now() - wasUpAt > terminatedMsMax) {
      await hands.restart().catch(passOver)
    }
  }
}

/** A capture that has stopped for good keeps its dump: an operator restarts the partition. */
async function restartStopped(stage: Stage, now: Partition): Promise<void> {
  if (now.state !== 'error' || stage.expected.moreCrashes === 0) return
  stage.stoppedBy = now.lastFailure
  await stage.hands.restart().catch(passOver)
}

/** A power failure from outside switches partitions off: an operator switches them on again. */
export async function activateAgain({ hands, isDisturbed }: Stage, now: Partition): Promise<void> {
  if (!isDisturbed || now.state !== 'not-activated') return
  await hands.activate().catch(passOver)
}

/** What an operator does when firmware has refused to let go of a dump that is stored. */
async function releaseWhatIsStored(stage: Stage, now: Partition): Promise<void> {
  const { hands, crash } = stage
  if (crash.fault === undefined || now.state !== 'capturing') return
  const dump = (await hands.dumps()).find(({ id }) => id === now.pendingDump)
  if (dump?.status !== 'complete' || dump.step !== 'complete') return
  await hands.write('kernel/fadump_release_mem', '1').catch(passOver)
}

/** Refusals of a partition that is not ready for it yet. */
function passOver(error: unknown): void {
  if (!(error instanceof Problem)) throw error
}

/** Whether user space has done what it does by itself. */
export function isSettled(now: Partition): boolean {
  return !wantsRegistration(now) || now.registration === 'registered'
}
