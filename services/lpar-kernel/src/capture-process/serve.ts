/**
 * The keeper of capture processes under one limit: a socket in a directory that kernel hosts share with it, named by the
 * limit. Whoever may open the socket may have one process run: the limit is that of all of them, so they come one by one.
 */
import { rm } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { once } from 'node:events'
import { KeyedMutex } from '@fadump-lab/shared/runtime'
import { MiB } from '@fadump-lab/shared/units'
import type { ControlGroup } from './control-group.ts'
import { captureWork, type CaptureOutcome, type CaptureWork } from './port.ts'
import { socketPath } from './socket-path.ts'

/** Bound on a request; what is longer is none. */
const requestCharactersMax = 64 * 1024

export type RunCapture = (work: CaptureWork, signal: AbortSignal) => Promise<CaptureOutcome>

/** Listens until disposed; the socket is gone then. `complain` is told why a request got no answer. */
export async function serveCaptures(
  directory: string,
  given: {
    readonly group: Pick<ControlGroup, 'limitBytes'>
    readonly run: RunCapture
    readonly complain: (error: unknown) => void
  },
): Promise<AsyncDisposable & { readonly path: string }> {
  const path = socketPath(directory, Math.floor(given.group.limitBytes / Number(MiB)))
  const mutex = new KeyedMutex()
  const stop = new AbortController()
  // What a keeper that was killed has left.
  await rm(path, { force: true })
  const server = createServer((socket) => {
    const signal = AbortSignal.any([stop.signal, closed(socket)])
    void answer(socket, (work) => mutex.run(path, () => given.run(work, signal))).catch(
      (error: unknown) => {
        given.complain(error)
        socket.destroy()
      },
    )
  })
  server.listen(path)
  await once(server, 'listening')
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      stop.abort(new Error('the keeper of capture processes stops'))
      server.close()
      await once(server, 'close')
    },
  }
}

/** Aborts when the other side is gone: nobody waits for the answer. */
function closed(socket: Socket): AbortSignal {
  const gone = new AbortController()
  socket.on('error', () => undefined)
  socket.once('close', () => gone.abort(new Error('the kernel host is gone')))
  return gone.signal
}

/** The request is a line of JSON; the answer is a JSON text to the end of the stream. */
async function answer(
  socket: Socket,
  run: (work: CaptureWork) => Promise<CaptureOutcome>,
): Promise<void> {
  const work = captureWork.parse(JSON.parse(await firstLine(socket)))
  socket.end(JSON.stringify(await run(work)))
}

/** The stream is read on behind it, or its end would go unnoticed. */
function firstLine(socket: Socket): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  let said = ''
  socket.setEncoding('utf8').on('data', (chunk) => {
    if (said.length < requestCharactersMax) said += chunk
    const [line, ...rest] = said.split('\n')
    if (line !== undefined && rest.length > 0) resolve(line)
  })
  socket.once('close', () => reject(new Error('a request without an end')))
  return promise
}
