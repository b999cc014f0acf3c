/** The memory of the control group that this process is in, as the kernel accounts for it (cgroup v1 and v2). */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface ControlGroup {
  readonly limitBytes: number
  /** In use and not to be had back: without the clean and dirty pages of files. */
  usedBytes(): number
  /** How many processes its OOM killer has taken; `undefined` before Linux 4.13. */
  oomKills(): number | undefined
}

interface Files {
  readonly directory: string
  readonly limit: string
  readonly usage: string
  readonly events: string
}

const versions: readonly Files[] = [
  {
    directory: '/sys/fs/cgroup',
    limit: 'memory.max',
    usage: 'memory.current',
    events: 'memory.events',
  },
  {
    directory: '/sys/fs/cgroup/memory',
    limit: 'memory.limit_in_bytes',
    usage: 'memory.usage_in_bytes',
    events: 'memory.oom_control',
  },
]

/** Without a limit version 1 says so with a number near 2⁶³, version 2 with `max`. */
const limitBytesMax = 2 ** 50

/** Errors: when the process is under no memory limit, with what to do. */
export function ownControlGroup(): ControlGroup {
  const files = versions.find(({ directory, limit }) => existsSync(join(directory, limit)))
  const read = (name: string) => readFileSync(join(files?.directory ?? '', name), 'utf8')
  const limitBytes = files === undefined ? NaN : Number(read(files.limit))
  if (files === undefined || !(limitBytes < limitBytesMax)) {
    throw new Error(
      'a capture process needs a memory limit equal to a boot memory, and this container has none: give it mem_limit and memswap_limit',
    )
  }
  return {
    limitBytes,
    usedBytes: () => {
      const stat = read('memory.stat')
      const cached = ['inactive_file', 'active_file'].map((key) => valueOf(stat, key) ?? 0)
      return cached.reduce((used, bytes) => used - bytes, Number(read(files.usage)))
    },
    oomKills: () => valueOf(read(files.events), 'oom_kill'),
  }
}

/** The value of a line `key value`. */
function valueOf(text: string, key: string): number | undefined {
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${key} `))
  return line === undefined ? undefined : Number(line.slice(key.length + 1))
}
