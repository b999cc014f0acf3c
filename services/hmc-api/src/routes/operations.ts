/** Operations that take time (202 and a job), jobs, and the files of a running partition. */
import type { HmcJob, hmcRoutes } from '@fadump-lab/shared/contracts'
import type { Handlers, ReplyControl } from '@fadump-lab/shared/http'
import type { HmcApiDeps } from '../deps.ts'
import type { JobRunner } from '../jobs/job-runner.ts'
import type { Operations } from '../jobs/operations.ts'

type Names =
  | 'activate'
  | 'shutdownPartition'
  | 'restart'
  | 'crash'
  | 'dumpRestart'
  | 'listJobs'
  | 'getJob'
  | 'readPartitionFile'
  | 'writePartitionFile'
  | 'runWorkload'

export function operationHandlers(
  deps: HmcApiDeps,
  jobs: JobRunner,
  operations: Operations,
): Pick<Handlers<typeof hmcRoutes>, Names> {
  const request = (input: {
    readonly params: { readonly partition: string }
    readonly correlationId: string
  }) => ({ partition: input.params.partition, correlationId: input.correlationId })
  return {
    activate: async (input, reply) => accepted(reply, await operations.activate(request(input))),
    shutdownPartition: async (input, reply) =>
      accepted(
        reply,
        await operations.shutdown({ ...request(input), immediate: input.body.immediate }),
      ),
    restart: async (input, reply) => accepted(reply, await operations.restart(request(input))),
    crash: async (input, reply) =>
      accepted(reply, await operations.crash({ ...request(input), crash: input.body })),
    dumpRestart: async (input, reply) =>
      accepted(reply, await operations.dumpRestart(request(input))),
    listJobs: () => Promise.resolve(jobs.store.list()),
    getJob: ({ params }) => Promise.resolve(jobs.store.get(params.job)),
    readPartitionFile: ({ params, correlationId }) =>
      deps.kernel.readFile({ params, correlationId }),
    runWorkload: ({ params, body, correlationId }) =>
      deps.kernel.runWorkload({ params, body, correlationId }),
    writePartitionFile: ({ params, query, body, correlationId }) =>
      deps.kernel.writeFile({ params, query, body, correlationId }),
  }
}

function accepted(reply: ReplyControl, job: HmcJob): HmcJob {
  reply.header('location', `/v1/jobs/${job.id}`)
  return job
}
