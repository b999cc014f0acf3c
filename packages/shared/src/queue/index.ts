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
export { failedJobsMax, jobPayloadCharactersMax } from './job-rules.ts'
export {
  createInProcessQueues,
  type InProcessQueue,
  type InProcessQueues,
} from './in-process-queues.ts'
export type { InProcessWorker } from './in-process-backlog.ts'
export { createBullmqQueues, queueKeyPrefix, type BullmqQueuesOptions } from './bullmq-queues.ts'
export { eventRowsMax, type EventLog, type EventRow } from './event-log.ts'
export { createHeapEventLog } from './heap-event-log.ts'
export { createRedisEventLog, eventLogKey, type RedisEventLogOptions } from './redis-event-log.ts'
export { answerTimeoutMs, closeTimeoutMs } from './redis-link.ts'
