/** Work and events between services: ports and their implementations. */
export {
  UnrecoverableJobError,
  type ClaimedJob,
  type JobHandler,
  type JobQueue,
  type JobQueues,
  type QueueCounts,
  type QueueDefinition,
  type WorkerOptions,
} from './job-queue.ts'
export { eventRowsMax, type EventLog, type EventRow } from './event-log.ts'
