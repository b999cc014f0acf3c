/** A network that breaks as planned: requests that get nowhere, late ones, and replies whose bytes go astray. */
import type { Fetch, Reply } from '../http/index.ts'
import { exchangeOf } from './exchange.ts'
import type { Occasion } from './fault-plan.ts'
import type { FaultTools } from './fault-tools.ts'
import { silence } from './silence.ts'
import { faultyStream } from './faulty-stream.ts'

export function faultyFetch(inner: Fetch, tools: FaultTools): Fetch {
  return async (input, init = {}) => {
    const occasion = exchangeOf(input, init)
    const signal = init.signal ?? undefined
    const step = { ...occasion, at: 'fetch' }
    return tools.step(step, async () => {
      await delay(tools, occasion, signal)
      const response = await inner(input, init)
      await loseReply(tools, occasion, signal)
      return throughStream(response, { tools, occasion, signal })
    })
  }
}

async function delay(
  { plan, clock }: FaultTools,
  occasion: Occasion,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (plan.strike('connection-refused', occasion) !== undefined) {
    throw networkError('ECONNREFUSED', `connect ECONNREFUSED, ${occasion.what}`)
  }
  const latency = plan.strike('latency', occasion)
  if (latency !== undefined) await clock.sleep(latency.value, signal)
}

/** Faults at byte 0: the request has been served, and nobody hears of it. */
async function loseReply(
  { plan, clock }: FaultTools,
  occasion: Occasion,
  signal: AbortSignal | undefined,
): Promise<void> {
  const reset = plan.aim('connection-reset', occasion, (value) => value === 0)
  if (reset !== undefined) {
    reset.strike()
    throw networkError('ECONNRESET', `read ECONNRESET, ${occasion.what}`)
  }
  const halfOpen = plan.aim('half-open', occasion, (value) => value === 0)
  if (halfOpen === undefined) return
  halfOpen.strike()
  await silence(clock, signal)
}

/** As fetch reports what the network did. */
export function networkError(code: string, message: string): TypeError {
  return new TypeError('fetch failed', { cause: Object.assign(new Error(message), { code }) })
}

function throughStream(
  response: Reply,
  given: {
    readonly tools: FaultTools
    readonly occasion: Occasion
    readonly signal: AbortSignal | undefined
  },
): Reply {
  // Nothing can break: a body that is not asked for need not become a stream.
  if (given.tools.plan.isEmpty || response.body === null) return response
  const media = response.headers.get('content-type')?.split(';', 1)[0] ?? ''
  const body = faultyStream(response.body, { ...given, media, isOk: response.ok })
  if (body === undefined) return response
  const { status, headers } = response
  return new Response(ReadableStream.from(body), { status, headers })
}
