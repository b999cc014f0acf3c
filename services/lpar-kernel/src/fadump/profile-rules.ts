/**
 * How the kernels differ where a user meets fadump: what a write answers, what is logged. `errno` absent means that
 * the writer sees success, whatever firmware said: 3.4 only logs (C131).
 */
import type { KernelProfileName } from '@fadump-lab/shared/contracts'
import { rtasStatus } from '@fadump-lab/shared/rtas'
import type { Errno } from '../kernel/errno.ts'

/** What the kernel does about a status of firmware. */
export interface StatusRule {
  readonly line: string
  readonly level: number
  readonly errno?: Errno
  /** The new value of `dump_registered`; absent: it stays. */
  readonly isRegistered?: boolean
}

export interface FadumpRules {
  /** How a written value is read: the first character, or a whole integer (`kstrtoint`, base 0). */
  readonly syntax: 'first-character' | 'integer'
  readonly whenAlreadyRegistered: Errno | 'register again'
  readonly whenNotRegistered: Errno | 'nothing'
  readonly whenNothingReserved: Errno | 'nothing'
  register(status: number): StatusRule | undefined
  unregisterFailed(status: number): string
  invalidateFailed(status: number): string
  /** Logged when reserved memory is given back; absent in 3.4. */
  readonly releaseLine?: (start: bigint, end: bigint) => string
  /** Whether an orderly shutdown takes back a mere registration (C120). */
  readonly unregistersAtShutdown: boolean
}

const error = 3
const informational = 6

const v5Statuses: ReadonlyMap<number, StatusRule> = new Map([
  [
    rtasStatus.success,
    {
      line: 'firmware-assisted kernel dump registration is successful',
      level: informational,
      isRegistered: true,
    },
  ],
  [
    rtasStatus.hardwareError,
    {
      line: 'Failed to register firmware-assisted kernel dump. Hardware Error(-1).',
      level: error,
    },
  ],
  [
    rtasStatus.parameterError,
    {
      line: 'Failed to register firmware-assisted kernel dump. Parameter Error(-3).',
      level: error,
    },
  ],
  [
    rtasStatus.alreadyRegistered,
    {
      line: 'firmware-assisted kernel dump is already  registered.',
      level: error,
      isRegistered: true,
    },
  ],
])

const modernStatuses: ReadonlyMap<number, StatusRule> = new Map<number, StatusRule>([
  [
    rtasStatus.success,
    { line: 'rtas fadump: Registration is successful!', level: informational, isRegistered: true },
  ],
  [
    rtasStatus.hardwareError,
    {
      line: 'rtas fadump: Failed to register. Hardware Error(-1).',
      level: error,
      errno: 'EIO',
    },
  ],
  [
    rtasStatus.parameterError,
    {
      line: 'rtas fadump: Failed to register. Parameter Error(-3).',
      level: error,
      errno: 'EINVAL',
    },
  ],
  [
    rtasStatus.alreadyRegistered,
    { line: 'rtas fadump: Already registered!', level: error, errno: 'EEXIST', isRegistered: true },
  ],
])

export const fadumpRules: Readonly<Record<KernelProfileName, FadumpRules>> = {
  v5: {
    syntax: 'first-character',
    whenAlreadyRegistered: 'EINVAL',
    whenNotRegistered: 'EINVAL',
    whenNothingReserved: 'nothing',
    // 3.4 has no default case: any other status passes in silence.
    register: (status) => v5Statuses.get(status),
    unregisterFailed: (status) =>
      `Failed to un-register firmware-assisted dump. unexpected error(${status}).`,
    invalidateFailed: (status) =>
      `Failed to invalidate firmware-assisted dump rgistration. unexpected error(${status}).`,
    unregistersAtShutdown: false,
  },
  modern: {
    syntax: 'integer',
    whenAlreadyRegistered: 'register again',
    whenNotRegistered: 'nothing',
    whenNothingReserved: 'ENODEV',
    register: (status) =>
      modernStatuses.get(status) ?? {
        line: `rtas fadump: Failed to register. Unknown Error(${status}).`,
        level: error,
        errno: 'EIO',
      },
    unregisterFailed: (status) =>
      `rtas fadump: Failed to un-register - unexpected error(${status}).`,
    invalidateFailed: (status) =>
      `rtas fadump: Failed to invalidate - unexpected error (${status}).`,
    releaseLine: (start, end) =>
      `fadump: freeing reserved memory (0x${start.toString(16)} - 0x${end.toString(16)})`,
    unregistersAtShutdown: true,
  },
}
