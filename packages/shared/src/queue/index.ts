/** Work and events between services: ports and their implementations. */
export type { QueueDefinition } from '../contracts/index.ts'
export {
  UnrecoverableJobError,
  type ClaimedJob,
  type JobHandler,
  type JobQueue,
  type JobQueues,
  type QueueCounts,
  type WorkerOptions,
} from './job-queue.ts'
export { eventRowsMax, type EventLog, type EventRow } from './event-log.ts'
