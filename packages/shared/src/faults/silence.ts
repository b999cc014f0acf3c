/** A connection on which nothing comes any more. */
import type { Clock } from '../runtime/index.ts'

/** When undici's fetch gives up headers or a body that do not come (headersTimeout, bodyTimeout). */
export const silenceMsMax = 300_000

/** Never resolves: rejects when `signal` aborts, else after `silenceMsMax`. */
export async function silence(clock: Clock, signal: AbortSignal | undefined): Promise<never> {
  await clock.sleep(silenceMsMax, signal)
  const cause = Object.assign(new Error('Body Timeout Error'), { code: 'UND_ERR_BODY_TIMEOUT' })
  throw new TypeError('terminated', { cause })
}
