/** I3: what the console has taken up is not forgotten: a system reset ends the boot that it was given in, or halts its kernel. */
import type { Invariant, World } from '../world.ts'

export function resetsCarriedOut({ ledger, oracle, violate }: World): Invariant {
  return {
    atRest: async () => {
      for (const [partition, given] of ledger.resets) {
        const now = await oracle.boot(partition)
        const isSame = now?.epoch === given.epoch && now.kexecs === given.kexecs
        if (isSame && !now.isHalted) {
          violate('I3', `${partition} was to be reset in boot ${given.epoch}, and still runs in it`)
        }
      }
    },
  }
}
