/**
 * Spans of jobs, by OpenTelemetry's conventions for messaging: one where a job is added, one for each of its runs, whose
 * parent is the former. A trace thus goes on through the queue, and a crash is one trace.
 *
 * The traceparent travels beside the payload, in what the queue itself keeps of a job: payloads and their proofs are the
 * same with and without traces. Whoever can write to the queue can forge it, and gains nothing: it says where spans
 * are shown, and what is not well formed is passed over.
 */
import { correlationId } from '../contracts/index.ts'
import { currentTraceparent, traced, type SpanAttributes } from '../telemetry/index.ts'

/** The implementation of the queue, as `messaging.system` names it. */
export type QueueSystem = 'bullmq' | 'in_process'

interface JobStep {
  readonly system: QueueSystem
  readonly queue: string
  readonly id: string
  readonly payload: unknown
}

/** Adds a job; `add` is given what is to be kept beside the payload, nothing when nobody traces. */
export function tracedAdd(
  job: JobStep,
  add: (traceparent: string | undefined) => Promise<void>,
): Promise<void> {
  return traced(
    {
      name: `add ${job.queue}`,
      kind: 'producer',
      attributes: () => attributesOf(job, { name: 'add', type: 'send' }),
      correlationId: correlationOf(job.payload),
    },
    () => add(currentTraceparent()),
  )
}

/** One run of a job. */
export function tracedRun(
  job: JobStep & { readonly attempt: number; readonly traceparent: string | undefined },
  run: () => Promise<void>,
): Promise<void> {
  return traced(
    {
      name: `process ${job.queue}`,
      kind: 'consumer',
      attributes: () => ({
        ...attributesOf(job, { name: 'process', type: 'process' }),
        'fadump.job.attempt': job.attempt,
      }),
      remote: { traceparent: job.traceparent },
      correlationId: correlationOf(job.payload),
    },
    run,
  )
}

function attributesOf(
  { system, queue, id }: JobStep,
  operation: { readonly name: string; readonly type: string },
): SpanAttributes {
  return {
    'messaging.system': system,
    'messaging.destination.name': queue,
    'messaging.message.id': id,
    'messaging.operation.name': operation.name,
    'messaging.operation.type': operation.type,
  }
}

function correlationOf(payload: unknown): string | undefined {
  if (typeof payload !== 'object' || payload === null || !('correlationId' in payload)) return
  const parsed = correlationId.safeParse(payload.correlationId)
  return parsed.success ? parsed.data : undefined
}
