/** One thread of many runs: takes seeds, answers with reports. */
import { parentPort } from 'node:worker_threads'
import { z } from 'zod'
import { simulate } from './simulation.ts'

const task = z.strictObject({ seed: z.int(), steps: z.int() })

parentPort?.on('message', (message: unknown) => {
  const { seed, steps } = task.parse(message)
  void simulate({ seed, steps }).then(
    (report) => parentPort?.postMessage(report),
    // Nobody waits here: it ends the thread, and the command with it.
    (cause: unknown) => {
      throw new Error(
        `the simulator itself failed: ./lab simulate --seed ${seed} --steps ${steps}`,
        { cause },
      )
    },
  )
})
