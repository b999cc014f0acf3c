/** A request to fastify without a socket. */
import type { FastifyInstance } from 'fastify'
import { asBuffer, concat } from '../units/index.ts'
import type { Outgoing } from './exchange.ts'
import type { InProcessRequest } from './in-process-service.ts'

/** The reply comes when its last byte is there. */
export async function inject(app: FastifyInstance, request: InProcessRequest): Promise<Outgoing> {
  const payload = await payloadOf(request.body)
  const { statusCode, rawPayload, headers } = await app.inject({
    method: request.method as 'GET',
    url: request.query === '' ? request.path : `${request.path}?${request.query}`,
    headers: Object.fromEntries(request.headers),
    ...(payload.byteLength === 0 ? {} : { payload: asBuffer(payload) }),
  })
  const told = Object.entries(headers).map(([name, value]) => [name, String(value)])
  return {
    status: statusCode,
    headers: Object.fromEntries(told) as Record<string, string>,
    body: rawPayload,
  }
}

async function payloadOf(body: InProcessRequest['body']): Promise<Uint8Array> {
  if (body instanceof Uint8Array) return body
  const parts: Uint8Array[] = []
  for await (const part of body) parts.push(part)
  return concat(parts)
}
