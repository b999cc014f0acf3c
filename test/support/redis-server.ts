/**
 * A real Redis for one test file: its own process on a free port of the loopback, without persistence, gone when
 * disposed. Guard its tests with `{ skip: without('redis-server') }` of tools.ts.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { locate } from './tools.ts'

export interface RedisServer extends AsyncDisposable {
  readonly port: number
  /** `redis://127.0.0.1:<port>` */
  readonly url: string
  /** Ends the process; nothing answers on the port until `start`. */
  stop(): Promise<void>
  /** Starts a new, empty server on the same port. */
  start(): Promise<void>
  /** `stop` and `start`: all data is lost. */
  restart(): Promise<void>
}

/** Starting gives up after this long. */
const readyTimeoutMs = 10_000
/** A server that does not end by itself is killed after this long. */
const stopTimeoutMs = 5_000
/** Another process may take a free port before the server does. */
const portAttemptsMax = 5

/** Starts a server; `settings` are further options of redis-server, such as `['--maxmemory', '64mb']`. */
export async function startRedisServer(settings: readonly string[] = []): Promise<RedisServer> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort()
    const server = { child: spawnServer(port, settings) }
    try {
      await untilReady(server.child, port)
    } catch (error) {
      await end(server.child)
      if (attempt === portAttemptsMax) throw error
      continue
    }
    const stop = () => end(server.child)
    const start = async () => {
      server.child = spawnServer(port, settings)
      await untilReady(server.child, port)
    }
    return {
      port,
      url: `redis://127.0.0.1:${port}`,
      stop,
      start,
      restart: async () => {
        await stop()
        await start()
      },
      [Symbol.asyncDispose]: stop,
    }
  }
}

function spawnServer(port: number, settings: readonly string[]): ChildProcess {
  const options = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  const child = spawn(locate('redis-server'), [...options, '--dir', tmpdir(), ...settings], {
    stdio: 'ignore',
  })
  // A test process that dies takes its server along.
  const kill = () => void child.kill('SIGKILL')
  process.on('exit', kill)
  child.on('exit', () => process.off('exit', kill))
  return child
}

async function untilReady(child: ChildProcess, port: number): Promise<void> {
  const signal = AbortSignal.timeout(readyTimeoutMs)
  while (!(await answersPing(port))) {
    if (child.exitCode !== null) throw new Error(`redis-server ended with ${child.exitCode}`)
    if (signal.aborted) throw new Error(`redis-server did not answer within ${readyTimeoutMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

async function answersPing(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    socket.write('PING\r\n')
    const [reply] = await once(socket, 'data', { signal: AbortSignal.timeout(readyTimeoutMs) })
    // A server with users answers strangers as well.
    return /^(?:\+PONG|-NOAUTH)/.test(String(reply))
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  const killer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs)
  await exited
  clearTimeout(killer)
}

async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no TCP port was given')
  return address.port
}
