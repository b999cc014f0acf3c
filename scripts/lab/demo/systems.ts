/** The systems the patch series was tested on, each with a crash of its own. */
import type { CrashCause } from '@fadump-lab/shared/contracts'

export interface DemoSystem {
  readonly id: string
  readonly title: string
  readonly memoryBytes: number
  readonly processors: number
  /** How it ends; `dump-restart` is the operator's way, from the console. */
  readonly crash: CrashCause | 'dump-restart'
}

const GiB = 2 ** 30

/** Cover letter of "fadump: Firmware-assisted dump support for Powerpc" (v5), 15 November 2011. */
export const demoSystems: readonly DemoSystem[] = [
  {
    id: 'p6-4g',
    title: 'POWER6, 4 GB, 8 CPUs',
    memoryBytes: 4 * GiB,
    processors: 8,
    crash: 'sysrq',
  },
  {
    id: 'p7-2g',
    title: 'POWER7, 2 GB, 20 CPUs',
    memoryBytes: 2 * GiB,
    processors: 20,
    crash: 'null-dereference',
  },
  {
    id: 'p7-1t',
    title: 'POWER7, 1 TB, 896 CPUs',
    memoryBytes: 1024 * GiB,
    processors: 896,
    crash: 'dump-restart',
  },
]
