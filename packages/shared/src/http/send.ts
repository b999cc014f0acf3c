/** A reply put on the wire by fastify. */
import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import { asBuffer } from '../units/index.ts'
import type { Outgoing } from './exchange.ts'

/** Also for refusals, whose headers take the place of those that a handler has said before it threw. */
export function send(
  { status, headers, body }: Outgoing,
  reply: Pick<FastifyReply, 'status' | 'header' | 'send'>,
): FastifyReply {
  reply.status(status)
  for (const [name, value] of Object.entries(headers)) reply.header(name, value)
  if (body === undefined || typeof body === 'string') return reply.send(body)
  if (body instanceof Uint8Array) return reply.send(asBuffer(body))
  return reply.send(Readable.from(body, { objectMode: false, highWaterMark: 1 }))
}
