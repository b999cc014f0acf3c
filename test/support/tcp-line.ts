/**
 * A line to a TCP port of the loopback that can fall silent: what is connected stays connected and hears nothing any
 * more, as behind a host that has lost its address or a firewall that has forgotten a connection. New connections work.
 */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export interface TcpLine extends AsyncDisposable {
  readonly port: number
  /** From now on nothing passes between the ends of the connections that there are; none of them is closed. */
  silence(): void
}

export async function startTcpLine(to: number): Promise<TcpLine> {
  const pairs = new Set<readonly [Socket, Socket]>()
  const server = createServer((near) => {
    const pair = [near, connect(to, '127.0.0.1')] as const
    const [, far] = pair
    for (const [from, towards] of [pair, [far, near] as const]) {
      from.on('data', (bytes) => towards.write(bytes))
      from.on('close', () => pairs.has(pair) && towards.destroy())
      from.on('error', () => undefined)
    }
    pairs.add(pair)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const ends = new Set<Socket>()
  return {
    port: (server.address() as AddressInfo).port,
    silence: () => {
      for (const pair of pairs) {
        for (const end of pair) {
          end.removeAllListeners('data').pause()
          ends.add(end)
        }
      }
      pairs.clear()
    },
    [Symbol.asyncDispose]: async () => {
      for (const end of [...ends, ...[...pairs].flat()]) end.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
