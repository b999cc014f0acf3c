/** How a process of the house ends: one table, the words of BSD's sysexits.h. */

export const exitCodes = {
  ok: { code: 0, sysexit: 'EX_OK', meaning: 'ended as asked' },
  usage: { code: 64, sysexit: 'EX_USAGE', meaning: 'the command line is wrong' },
  data: { code: 65, sysexit: 'EX_DATAERR', meaning: 'the data is not what it should be' },
  noInput: { code: 66, sysexit: 'EX_NOINPUT', meaning: 'what should be read is not there' },
  internal: { code: 70, sysexit: 'EX_SOFTWARE', meaning: 'an invariant of the program is broken' },
  unavailable: {
    code: 75,
    sysexit: 'EX_TEMPFAIL',
    meaning: 'something it depends on does not answer: try again',
  },
  configuration: {
    code: 78,
    sysexit: 'EX_CONFIG',
    meaning: 'the configuration is refused: correct it first',
  },
} as const

export type ExitReason = keyof typeof exitCodes

/** Something outside the process that it cannot do without does not answer. */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError'
  readonly exitReason = 'unavailable'
}

/** The exit code for `error`: that of its `exitReason`; of a refused or lost connection; else `internal`. */
export function exitCodeOf(error: unknown): number {
  return exitCodes[exitReasonOf(error)].code
}

const connectionCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'unavailable',
])

function exitReasonOf(error: unknown): ExitReason {
  if (!(error instanceof Error)) return 'internal'
  if ('exitReason' in error && isExitReason(error.exitReason)) return error.exitReason
  if ('code' in error && typeof error.code === 'string' && connectionCodes.has(error.code))
    return 'unavailable'
  return error.cause === undefined ? 'internal' : exitReasonOf(error.cause)
}

function isExitReason(value: unknown): value is ExitReason {
  return typeof value === 'string' && Object.hasOwn(exitCodes, value)
}
