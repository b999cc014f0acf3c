/** Where a dump can go, and what that takes of the capture kernel. */
import type { Numbers } from './presets/preset.ts'

export interface TargetRow {
  readonly title: string
  readonly needsNetwork: boolean
  /** Whether makedumpfile runs in the capture kernel; a server that pulls gets the vmcore as it is. */
  readonly filters: boolean
  /** The process that moves the data, as the OOM killer names it; the kernel itself for NFS. */
  readonly process: string
  /** Client or server, MiB. */
  readonly clientMiB: (numbers: Numbers) => number
  /** Socket buffers; `windowMiB` is what a pulling server keeps in flight. */
  readonly inFlightMiB: (numbers: Numbers, windowMiB: number) => number
  /** Page cache that the copy leaves dirty or unread, of what is left free. */
  readonly dirtyShare: (numbers: Numbers) => number
}

export const targets = {
  local: {
    title: 'a file system of the partition',
    needsNetwork: false,
    filters: true,
    process: 'makedumpfile',
    clientMiB: () => 0,
    inFlightMiB: () => 0,
    dirtyShare: (numbers) => numbers.dirtyShareLocal,
  },
  ssh: {
    title: 'makedumpfile -F piped into ssh',
    needsNetwork: true,
    filters: true,
    process: 'ssh',
    clientMiB: (numbers) => numbers.sshClient,
    inFlightMiB: (numbers) => numbers.socketBuffers,
    dirtyShare: (numbers) => numbers.dirtyShareSsh,
  },
  nfs: {
    title: 'a file on an NFS server',
    needsNetwork: true,
    filters: true,
    process: 'makedumpfile',
    clientMiB: (numbers) => numbers.nfsClient,
    inFlightMiB: () => 0,
    dirtyShare: (numbers) => numbers.dirtyShareNfs,
  },
  http: {
    title: 'a dump server that pulls /proc/vmcore',
    needsNetwork: true,
    filters: false,
    process: 'httpd',
    clientMiB: (numbers) => numbers.httpServer,
    inFlightMiB: (_numbers, windowMiB) => windowMiB,
    dirtyShare: (numbers) => numbers.dirtyShareSsh,
  },
} as const satisfies Readonly<Record<string, TargetRow>>

export type Target = keyof typeof targets

export const targetNames = Object.keys(targets) as readonly Target[]

/** The row of a target, in the type that all rows share. */
export function targetRow(target: Target): TargetRow {
  return targets[target]
}
