/** What a system call returns when the kernel refuses: one table, and how it crosses HTTP. */
import { Problem } from '@fadump-lab/shared/contracts'

const table = {
  EPERM: { status: 403, text: 'Operation not permitted' },
  ENOENT: { status: 404, text: 'No such file or directory' },
  ENOMEM: { status: 507, text: 'Cannot allocate memory' },
  EIO: { status: 502, text: 'Input/output error' },
  EACCES: { status: 403, text: 'Permission denied' },
  EBUSY: { status: 409, text: 'Device or resource busy' },
  EEXIST: { status: 409, text: 'File exists' },
  ENODEV: { status: 409, text: 'No such device' },
  EINVAL: { status: 422, text: 'Invalid argument' },
  ENOSPC: { status: 507, text: 'No space left on device' },
} as const satisfies Record<string, { readonly status: number; readonly text: string }>

export type Errno = keyof typeof table

/** `errno`, with what was refused and why. */
export function errnoProblem(errno: Errno, path: string, why: string): Problem {
  const { status, text } = table[errno]
  return new Problem('errno', `${path}: ${text} (${errno}): ${why}`, {
    extensions: { errno, status },
  })
}
