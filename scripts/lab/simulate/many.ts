/** Runs of consecutive seeds on several threads; each thread is one deterministic world at a time. */
import { Worker } from 'node:worker_threads'
import type { RunReport } from './simulation.ts'
import { giveThreadsRoom, threadLimits } from './thread-heap.ts'

export interface ManyOptions {
  readonly seed: number
  readonly runs: number
  readonly steps: number
  readonly threads: number
  /** Told as reports come, in no order. */
  readonly onReport: (report: RunReport) => void
}

/** Resolves when all have run, or the first has failed; a thread that dies is an error. */
export async function simulateMany(options: ManyOptions): Promise<void> {
  const { seed, runs, steps, threads, onReport } = options
  let next = 0
  let hasFailed = false
  giveThreadsRoom()
  const take = (): number | undefined => (next < runs && !hasFailed ? seed + next++ : undefined)
  await Promise.all(
    Array.from({ length: Math.min(threads, runs) }, () =>
      inThread(steps, take, (report) => {
        hasFailed ||= report.violation !== undefined
        onReport(report)
      }),
    ),
  )
}

/** Runs of one thread: what node keeps of each is little, but not nothing. */
const runsPerThreadMax = 1_500

async function inThread(
  steps: number,
  take: () => number | undefined,
  onReport: (report: RunReport) => void,
): Promise<void> {
  for (let seed = take(); seed !== undefined; seed = take()) {
    await inOneThread(steps, { seed, take, onReport })
  }
}

/** As many runs as one thread may have; the first is that of `seed`. */
async function inOneThread(
  steps: number,
  given: {
    readonly seed: number
    readonly take: () => number | undefined
    readonly onReport: (report: RunReport) => void
  },
): Promise<void> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    resourceLimits: threadLimits,
  })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let runs = 1
  worker.on('message', (report: RunReport) => {
    given.onReport(report)
    const seed = runs < runsPerThreadMax ? given.take() : undefined
    runs += 1
    if (seed === undefined) resolve()
    else worker.postMessage({ seed, steps })
  })
  worker.once('error', reject)
  worker.postMessage({ seed: given.seed, steps })
  try {
    await promise
  } finally {
    await worker.terminate()
  }
}
