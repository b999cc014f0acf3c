/**
 * The story of 2011 as rows: the machines of the patch series that raised the minimum boot memory by 64 MiB, and what
 * would have been with another card, another setting or another target. What each must come to is written out.
 */
import type { SystemDescription } from '@fadump-lab/shared/capture-memory'

export interface StoryRow {
  readonly id: string
  readonly title: string
  readonly system: SystemDescription & { readonly memoryMiB: number; readonly cpus: number }
  /** The phase in which it fails with 256 and with 320 MiB; undefined: the dump gets through. */
  readonly at256?: string
  readonly at320?: string
  /** The least boot memory, MiB; absent where the story does not say. */
  readonly minimumMiB?: number
}

const power6 = { preset: '2011', memoryMiB: 4096, cpus: 8 } as const
const power7 = { preset: '2011', memoryMiB: 2048, cpus: 20 } as const
const large = { preset: '2011', memoryMiB: 1024 * 1024, cpus: 896 } as const

export const story: readonly StoryRow[] = [
  {
    id: 'S1',
    title: 'POWER6, 4 GiB, 8 CPUs, local dump',
    system: { ...power6, target: 'local' },
    minimumMiB: 133,
  },
  {
    id: 'S2, S3',
    title: 'the same over SSH, one ehea port with 8 queue pairs',
    system: { ...power6, target: 'ssh', card: 'ehea', queues: 8 },
    at256: 'link up',
    minimumMiB: 262,
  },
  {
    id: 'S4',
    title: 'the same with ehea.use_mcs=0',
    system: { ...power6, target: 'ssh', card: 'ehea', queues: 8, multiqueue: false },
    minimumMiB: 162,
  },
  {
    id: 'S5',
    title: 'the same to an NFS server',
    system: { ...power6, target: 'nfs', card: 'ehea', queues: 8, multiqueue: false },
    minimumMiB: 177,
  },
  {
    id: 'S6, S7',
    title: 'POWER7, 2 GiB, 20 CPUs, SSH, one ehea port with 8 queue pairs',
    system: { ...power7, target: 'ssh', card: 'ehea', queues: 8 },
    at256: 'link up',
    minimumMiB: 274,
  },
  {
    id: 'S8',
    title: 'the same over virtual Ethernet',
    system: { ...power7, target: 'ssh', card: 'ibmveth' },
    minimumMiB: 165,
  },
  {
    id: 'S10',
    title: 'POWER7, 1 TiB, 896 CPUs, if it had only the minimum',
    system: { ...large, target: 'ssh', card: 'ehea', queues: 8 },
    at256: 'kernel',
    at320: 'kernel',
  },
  {
    id: 'S11',
    title: 'POWER6 with 16 queue pairs',
    system: { ...power6, target: 'ssh', card: 'ehea', queues: 16 },
    at256: 'link up',
    at320: 'link up',
    minimumMiB: 376,
  },
]

/** S9: what 1 TiB and 896 CPUs really get is 5 percent of memory. */
export const largeAtFivePercent = {
  ...large,
  target: 'ssh',
  card: 'ehea',
  queues: 16,
  bootMemoryMiB: 52_429,
} as const satisfies SystemDescription

/** Queue pairs of the POWER7 system that fail with 256 MiB and get through with 320. */
export const band = { system: power7, from: 7, to: 11 } as const
