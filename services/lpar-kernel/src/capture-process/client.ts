/** Capture processes of other containers, by the sockets of a directory. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Logger } from '@fadump-lab/shared/telemetry'
import { captureOutcome, type CaptureProcess, type CaptureWork } from './port.ts'
import { socketPath } from './socket-path.ts'

/** One process takes a second; others may be before it. */
const answerMsMax = 60_000

export function createCaptureProcess(
  directory: string,
  logger: Pick<Logger, 'warn'>,
): CaptureProcess {
  return {
    run: async (work) => {
      const path = socketPath(directory, work.limitMiB)
      try {
        return captureOutcome.parse(JSON.parse(await ask(path, work)))
      } catch (error) {
        // No container has this limit: the usual case.
        if (!isAbsent(error)) logger.warn({ err: error, path }, 'a capture was not measured')
        return undefined
      }
    },
  }
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}

async function ask(path: string, work: CaptureWork): Promise<string> {
  const signal = AbortSignal.timeout(answerMsMax)
  const socket = connect({ path, signal })
  try {
    await once(socket, 'connect', { signal })
    socket.write(`${JSON.stringify(work)}\n`)
    return await text(socket)
  } finally {
    socket.destroy()
  }
}
