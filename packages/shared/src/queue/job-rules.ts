/** What both queue implementations hold to: ids, payloads, bounds, the end of a run. */
import { z } from 'zod'
import type { QueueDefinition } from '../contracts/index.ts'
import { invariant } from '../units/index.ts'
import { UnrecoverableJobError, type JobHandler } from './job-queue.ts'
import { tracedRun, type QueueSystem } from './job-tracing.ts'

/** Failed jobs that a queue keeps for people to look at; the oldest go first. */
export const failedJobsMax = 1_000
/** The longest payload as JSON text, in characters: jobs carry ids and addresses, never memory. */
export const jobPayloadCharactersMax = 16_384

const jobIdRule = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,127}$/
const queueNameRule = /^[a-z0-9][a-z0-9-]{0,31}$/

/** `id`, when it fits: 1 to 128 letters, digits, `.`, `_`, `/` and `-`, the first a letter or digit. */
export function checkedJobId(id: string): string {
  invariant(
    jobIdRule.test(id),
    `job id ${JSON.stringify(id)} must be 1 to 128 letters, digits and . _ / -, the first a letter or digit`,
  )
  return id
}

/** A definition without the type of its payload. */
export type QueueBounds = Omit<QueueDefinition<unknown>, 'payload'>

/** Refuses a definition whose bounds make no sense. */
export function checkDefinition(definition: QueueBounds): void {
  const { name, attemptsMax, backoffMs, backoffMsMax, leaseMs } = definition
  invariant(
    queueNameRule.test(name),
    `queue name ${JSON.stringify(name)} must be 1 to 32 lower-case letters, digits and hyphens`,
  )
  const isPositive = (value: number) => Number.isSafeInteger(value) && value >= 1
  invariant(
    isPositive(attemptsMax),
    `queue ${name}: attemptsMax must be at least 1, not ${attemptsMax}`,
  )
  invariant(isPositive(leaseMs), `queue ${name}: leaseMs must be at least 1, not ${leaseMs}`)
  invariant(
    isPositive(backoffMs) && backoffMsMax >= backoffMs,
    `queue ${name}: backoffMs must be at least 1 and at most backoffMsMax, not ${backoffMs} of ${backoffMsMax}`,
  )
}

/** The JSON value of a payload. A payload that its own schema refuses is a programmer error. */
export function encodePayload<Payload>(
  definition: QueueDefinition<Payload>,
  id: string,
  payload: Payload,
): unknown {
  const encoded = z.safeEncode(definition.payload, payload)
  invariant(encoded.success, refusal(definition, id, encoded.error))
  const length = JSON.stringify(encoded.data).length
  invariant(
    length <= jobPayloadCharactersMax,
    `job ${id} of queue ${definition.name}: a payload of ${length} characters is longer than ${jobPayloadCharactersMax}`,
  )
  return encoded.data
}

/** A job as an implementation hands it to a handler: the payload as stored. */
export interface StoredRun {
  readonly id: string
  readonly payload: unknown
  readonly attempt: number
  readonly signal: AbortSignal
  /** What was kept beside the payload: not checked yet. */
  readonly traceparent: string | undefined
}

export type StoredJobHandler = (run: StoredRun) => Promise<void>

/** A handler of stored payloads: what the schema refuses fails at once, as does a job whose runs are used up. */
export function decodingHandler<Payload>(
  definition: QueueDefinition<Payload>,
  handler: JobHandler<Payload>,
  system: QueueSystem,
): StoredJobHandler {
  const handle: StoredJobHandler = async (run) => {
    if (run.attempt > definition.attemptsMax) {
      throw new UnrecoverableJobError(
        `job ${run.id} of queue ${definition.name} is given up: none of its ${definition.attemptsMax} runs came to an end`,
      )
    }
    const decoded = z.safeDecode(definition.payload, run.payload)
    if (!decoded.success) {
      throw new UnrecoverableJobError(refusal(definition, run.id, decoded.error), {
        cause: decoded.error,
      })
    }
    await handler({ id: run.id, payload: decoded.data, attempt: run.attempt, signal: run.signal })
  }
  return (run) => tracedRun({ ...run, system, queue: definition.name }, () => handle(run))
}

/** Whatever a handler threw, as an `Error`. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error
    ? thrown
    : new Error('a job handler threw something else than an error', { cause: thrown })
}

function refusal(
  definition: { readonly name: string },
  id: string,
  error: z.ZodError | undefined,
): string {
  const issues = (error?.issues ?? []).map((issue) => `#/${issue.path.join('/')} ${issue.message}`)
  return `job ${id} of queue ${definition.name}: its payload is refused: ${issues.join('; ')}`
}
