/**
 * RTAS status codes (PAPR 7.2.8 and the argument buffer table of `ibm,configure-kernel-dump`).
 * The requirement text of that call says −8 for "already registered" and −9 for "dump active"; Linux and QEMU
 * implement the table, and so does this one.
 */

export interface RtasStatusRow {
  readonly code: number
  readonly name: string
  readonly meaning: string
  /** How long the caller is asked to wait before it calls again; absent when the call is over. */
  readonly delayMs?: number
}

export const rtasStatus = {
  success: 0,
  hardwareError: -1,
  busy: -2,
  parameterError: -3,
  alreadyRegistered: -9,
  dumpActive: -10,
} as const

/** 990x asks for a delay of about 10ˣ ms; `rtas_busy_delay_time` of the kernel waits exactly that. */
const extendedDelays: readonly RtasStatusRow[] = [0, 1, 2, 3, 4, 5].map((order) => ({
  code: 9900 + order,
  name: `extendedDelay${order}`,
  meaning: `Extended delay: call again in about ${10 ** order} ms`,
  delayMs: 10 ** order,
}))

export const rtasStatuses: readonly RtasStatusRow[] = [
  { code: rtasStatus.success, name: 'success', meaning: 'Success' },
  { code: rtasStatus.hardwareError, name: 'hardwareError', meaning: 'Hardware error' },
  { code: rtasStatus.busy, name: 'busy', meaning: 'Busy: call again', delayMs: 1 },
  { code: rtasStatus.parameterError, name: 'parameterError', meaning: 'Parameter error' },
  {
    code: rtasStatus.alreadyRegistered,
    name: 'alreadyRegistered',
    meaning: 'A dump is already registered',
  },
  {
    code: rtasStatus.dumpActive,
    name: 'dumpActive',
    meaning: 'A dump is active: complete or invalidate it first',
  },
  ...extendedDelays,
]

/** The milliseconds to wait before repeating the call, or `undefined` when `status` is final. */
export function rtasDelayMs(status: number): number | undefined {
  return rtasStatuses.find((row) => row.code === status)?.delayMs
}

/** `-3 (Parameter error)`; a code outside the table is named unknown. */
export function describeRtasStatus(status: number): string {
  const row = rtasStatuses.find((candidate) => candidate.code === status)
  return `${status} (${row?.meaning ?? 'unknown status'})`
}
