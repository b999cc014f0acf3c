/** What a capture process does: it takes and touches real memory, step by step, until all is done or it is killed. */
import { MiB } from '@fadump-lab/shared/units'
import type { CaptureWork } from './port.ts'

/** Steps of a report: before the first one. The last report names the number of steps. */
export const atStart = -1

/** Touching one byte of each takes all of them; POWER's are larger, the host's are not. */
const hostPageBytes = 4096
/** Taken at once: what it costs beside, page tables above all, is counted before the next slice. */
const sliceBytes = Number(MiB)
/** The kernel counts in batches. */
const precisionBytes = 128 * 1024

/**
 * After a step exactly what the model says is in use by everybody under the limit: the processes of the container are
 * part of it. As long as they are more than the model has taken, nothing is added. `tell` comes before each step.
 */
export function liveThrough(
  { limitMiB, reserveBytes, steps }: CaptureWork,
  host: {
    readonly usedBytes: () => number
    readonly tell: (step: number, usedBytes: number) => void
  },
): void {
  const { usedBytes, tell } = host
  // More than the limit cannot be had, so there is no need to promise it.
  const maxByteLength = 2 * limitMiB * Number(MiB)
  const memory = new ArrayBuffer(0, { maxByteLength })
  tell(atStart, usedBytes())
  let wanted = reserveBytes
  for (const [index, { bytes }] of steps.entries()) {
    tell(index, usedBytes())
    wanted += bytes
    for (;;) {
      const missing = Math.min(wanted - usedBytes(), maxByteLength - memory.byteLength)
      if (Math.abs(missing) < precisionBytes) break
      const before = memory.byteLength
      hold(memory, before + Math.max(-before, Math.min(sliceBytes, missing)))
      if (memory.byteLength <= before) break
    }
  }
  tell(steps.length, usedBytes())
}

/** What `memory` gives back is the kernel's at once, without a collector of garbage. */
function hold(memory: ArrayBuffer, bytes: number): void {
  const before = memory.byteLength
  memory.resize(bytes)
  const view = new Uint8Array(memory)
  for (let at = before; at < bytes; at += hostPageBytes) view[at] = 1
}
