/** What one file below /sys is, whoever makes it. */
import type { KernelRecord } from '../kernel/kernel-record.ts'
import type { RunningKernel } from '../kernel/running-kernel.ts'

export interface SysfsFile {
  /** Below /sys, without a leading slash. */
  readonly path: string
  readonly mode: 0o200 | 0o444 | 0o644
  readonly exists: (record: KernelRecord) => boolean
  readonly read?: (kernel: RunningKernel) => string | Promise<string>
  /** What the kernel tests before it takes `fadump_mutex`: it throws what is refused without waiting for others. */
  readonly admits?: (kernel: RunningKernel, text: string) => void
  readonly write?: WriteFile
}

/** Resolves when the write succeeded; throws `errno`, or `conflict` when another host was writing at the same time. */
export type WriteFile = (kernel: RunningKernel, text: string) => Promise<void>
