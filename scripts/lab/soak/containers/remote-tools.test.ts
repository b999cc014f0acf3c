/** Orders of a soak to a console that loses answers. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { suite } from 'node:test'
import { isProblem } from '@fadump-lab/shared/contracts'
import { systemClock } from '@fadump-lab/shared/runtime'
import { Console } from './console.ts'
import { EventFeed } from './event-feed.ts'
import { remoteTools } from './remote-tools.ts'

const call = {
  params: { partition: 'p1', '*': 'kernel/dlpar' },
  body: 'memory remove index 2147483652',
}
const refuse = (reply: ServerResponse) =>
  reply.writeHead(422, { 'content-type': 'application/problem+json' }).end(
    JSON.stringify({
      type: '/problems/errno',
      title: 'Refused',
      status: 422,
      detail: '/sys/kernel/dlpar: Invalid argument (EINVAL)',
      errno: 'EINVAL',
    }),
  )
const lose = (reply: ServerResponse) => reply.destroy()

/** Writes a file at a console that does to its requests what `replies` says. */
async function write(replies: readonly ((reply: ServerResponse) => unknown)[]): Promise<void> {
  const left = [...replies]
  const server = createServer((_request, reply) => left.shift()?.(reply))
  await using stack = new AsyncDisposableStack()
  stack.defer(async () => {
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const clock = systemClock
  const url = `http://127.0.0.1:${port}`
  const console = new Console({ url, user: 'admin', password: 'x', clock })
  const { deps } = remoteTools(console, {
    clock,
    feed: new EventFeed(console, clock),
    logger: { error: () => undefined },
  })
  try {
    await deps.kernel.writeFile(call)
  } finally {
    assert.deepEqual(left, [])
  }
}

suite('an order over a console that is not always there', () => {
  test('a write that is refused after a lost answer has been carried out', () =>
    write([lose, refuse]))

  test('a write that is refused at once is refused', async () => {
    await assert.rejects(write([refuse]), (error) => isProblem(error, 'errno'))
  })
})
