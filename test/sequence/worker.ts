/** One thread of the long check. */
import { parentPort, workerData } from 'node:worker_threads'
import { z } from 'zod'
import { checkSequences } from './check-sequences.ts'

const options = z.strictObject({ seed: z.int(), runs: z.int() }).parse(workerData)
parentPort?.postMessage(await checkSequences(options))
