/** The heaps of threads in which one room after the other lives: nearly all that a room makes is garbage soon. */
import { setFlagsFromString } from 'node:v8'
import type { ResourceLimits } from 'node:worker_threads'

/** More room for what dies young makes it leave the processor's caches. */
export const threadLimits: ResourceLimits = { maxYoungGenerationSizeMb: 64 }

/** What a thread may hold, pages of memory included, before all of it is looked through. */
const initialHeapMb = 256

/**
 * For threads that are started from here on. Without the second flag all of the heap is looked through whenever 64 MiB of
 * byte arrays have been made, which rooms do several times a second.
 */
export function giveThreadsRoom(): void {
  setFlagsFromString(`--initial-heap-size=${initialHeapMb}`)
  setFlagsFromString('--external-memory-accounted-in-global-limit')
}
