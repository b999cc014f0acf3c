/** The end of a service: on a signal, what was opened is closed in order, within a bounded time. */
import type { Clock } from './clock.ts'
import { exitCodeOf, exitCodes, UnavailableError } from './exit-codes.ts'

export interface Closer {
  /** For the log: what is being closed. */
  readonly name: string
  close(): Promise<void> | void
}

export interface CloseOptions {
  readonly clock: Clock
  /** For all closers together. */
  readonly timeoutMs: number
}

export interface CloseFailure {
  readonly closer: string
  readonly cause: Error
}

/** Closes one after the other; one that fails does not keep the next from running. When time is up, the rest is named. */
export async function closeInOrder(
  closers: readonly Closer[],
  options: CloseOptions,
): Promise<readonly CloseFailure[]> {
  const failures: CloseFailure[] = []
  const deadline = Promise.withResolvers<'late'>()
  let isLate = false
  using _timer = options.clock.schedule(options.timeoutMs, () => {
    isLate = true
    deadline.resolve('late')
  })
  for (const closer of closers) {
    const outcome = isLate ? 'late' : await Promise.race([closeOne(closer), deadline.promise])
    if (outcome === 'late')
      failures.push({ closer: closer.name, cause: lateError(closer, options) })
    else if (outcome !== undefined) failures.push({ closer: closer.name, cause: outcome })
  }
  return failures
}

/** The part of `process` that shutdown needs; main.ts passes `process`. */
export interface SignalSource {
  on(signal: ShutdownSignal, listener: (signal: ShutdownSignal) => void): unknown
  off(signal: ShutdownSignal, listener: (signal: ShutdownSignal) => void): unknown
}

export type ShutdownSignal = 'SIGTERM' | 'SIGINT'
const shutdownSignals: readonly ShutdownSignal[] = ['SIGTERM', 'SIGINT']

export interface ShutdownOptions extends CloseOptions {
  readonly signals: SignalSource
  /** In the order to close: first what takes new work, last what others need. */
  readonly closers: readonly Closer[]
  /** Told once how it went; `exitCode` is 0 when all closed. main.ts passes `process.exit` or sets `process.exitCode`. */
  readonly onClosed: (exitCode: number, failures: readonly CloseFailure[]) => void
}

/** Waits for the first SIGTERM or SIGINT; a second one ends the waiting. Disposing stops to listen. */
export function shutdownOnSignal(options: ShutdownOptions): Disposable {
  let state: 'running' | 'closing' | 'closed' = 'running'
  const finish = (failures: readonly CloseFailure[]) => {
    if (state === 'closed') return
    state = 'closed'
    stopListening()
    const first = failures[0]
    options.onClosed(first === undefined ? exitCodes.ok.code : exitCodeOf(first.cause), failures)
  }
  const onSignal = (signal: ShutdownSignal) => {
    if (state === 'running') {
      state = 'closing'
      void closeInOrder(options.closers, options).then(finish)
    } else {
      finish([
        { closer: 'shutdown', cause: new UnavailableError(`a second ${signal} cut it short`) },
      ])
    }
  }
  const stopListening = () => {
    for (const signal of shutdownSignals) options.signals.off(signal, onSignal)
  }
  for (const signal of shutdownSignals) options.signals.on(signal, onSignal)
  return { [Symbol.dispose]: stopListening }
}

async function closeOne(closer: Closer): Promise<Error | undefined> {
  try {
    await closer.close()
    return undefined
  } catch (error) {
    return error instanceof Error
      ? error
      : new Error(`closing ${closer.name} failed`, { cause: error })
  }
}

function lateError(closer: Closer, options: CloseOptions): UnavailableError {
  return new UnavailableError(
    `${closer.name} was not closed within ${options.timeoutMs} ms, the bound for all closers together`,
  )
}
