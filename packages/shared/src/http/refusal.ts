/** A thrown value as the reply it means, whichever way the request has come. */
import type { Logger } from '../telemetry/index.ts'
import { headersSaidBefore, type Outgoing } from './exchange.ts'
import { asProblem, problemBody, problemMedia } from './problem-details.ts'

/** The refusal of the request `correlationId`; what nobody expected is told to `log`. */
export function refusal(
  error: unknown,
  { correlationId, log }: { readonly correlationId: string; readonly log: Pick<Logger, 'error'> },
): Outgoing {
  const problem = asProblem(error)
  if (problem.status >= 500) log.error({ err: error, problem: problem.slug }, 'request failed')
  return {
    status: problem.status,
    headers: {
      ...headersSaidBefore(error),
      'content-type': `${problemMedia}; charset=utf-8`,
      'x-correlation-id': correlationId,
      // RFC 9110 §11.6.1: a 401 says how to do better.
      ...(problem.status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
    },
    body: JSON.stringify(problemBody(problem, correlationId)),
  }
}
