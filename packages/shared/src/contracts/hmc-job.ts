/** Long operations of the console: 202 now, the job tells the rest. */
import { z } from 'zod'
import { machine } from '../units/index.ts'
import { correlationId, dumpId, jobId, partitionId } from './ids.ts'

export const jobMachine = machine('job', {
  running: { succeed: 'succeeded', fail: 'failed' },
  succeeded: {},
  failed: {},
})

export const hmcJob = z.strictObject({
  id: jobId,
  operation: z.enum(['activate', 'shutdown', 'crash', 'dump-restart', 'restart']),
  partition: partitionId,
  state: z.enum(jobMachine.states),
  /** What is happening now, for people. */
  step: z.string().max(256),
  /** Set by crash and dump-restart once the dump is stored. */
  dump: dumpId.optional(),
  failure: z.string().max(1024).optional(),
  startedAt: z.iso.datetime(),
  completedAt: z.iso.datetime().optional(),
  correlationId,
})
export type HmcJob = z.output<typeof hmcJob>
