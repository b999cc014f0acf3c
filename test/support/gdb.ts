/** What gdb shows of a vmcore: its threads and their registers. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { locate } from './tools.ts'

/** A gdb that knows ppc64, and what its process needs. */
export interface Gdb {
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Debian's own. Guard with `without('gdb-multiarch')`. */
export function systemGdb(): Gdb {
  return { command: locate('gdb-multiarch'), args: [], env: { ...process.env, LC_ALL: 'C' } }
}

/** The newer one, run by its own loader with its own libraries. Guard with `without('vmcore-tools')`. */
export function newerGdb(): Gdb {
  const root = join(locate('vmcore-tools'), 'new')
  return {
    command: join(root, 'usr/lib64/ld-linux-x86-64.so.2'),
    args: [
      '--library-path',
      join(root, 'usr/lib/x86_64-linux-gnu'),
      join(root, 'usr/bin/gdb-multiarch'),
      `--data-directory=${join(root, 'usr/share/gdb')}`,
    ],
    env: {
      ...process.env,
      LC_ALL: 'C',
      PYTHONHOME: join(root, 'usr'),
      PYTHONPATH: join(root, 'usr/lib/python3/dist-packages'),
    },
  }
}

export interface Thread {
  /** Of the thread's target id: `pr_pid`, or what gdb makes up where that is 0. */
  readonly lwp: number
  /** Under gdb's names. */
  readonly registers: Readonly<Record<string, bigint>>
}

const general = Array.from({ length: 32 }, (_, index) => `r${index}`)
const shown = [...general, 'pc', 'msr', 'cr', 'lr', 'ctr', 'xer', 'trap']

export interface GdbView {
  /** One per NT_PRSTATUS, in the order of gdb's own numbers. */
  readonly threads: readonly Thread[]
  /** The thread that gdb selects by itself. */
  readonly current: number | undefined
  /** Everything that gdb said. */
  readonly output: string
}

/** Opens the vmcore as a person would, without a vmlinux. */
export function openInGdb({ command, args, env }: Gdb, vmcore: string): GdbView {
  const commands = [
    'set pagination off',
    `core-file ${vmcore}`,
    'info threads',
    `thread apply all -ascending info registers ${shown.join(' ')}`,
  ]
  const { stdout, stderr, status } = spawnSync(
    command,
    [...args, '-nx', '-batch', ...commands.flatMap((text) => ['-ex', text])],
    { encoding: 'utf8', env },
  )
  const output = `${stdout}${stderr}`
  if (status !== 0) throw new Error(`gdb ended with ${status}: ${output}`)
  const [, ...parts] = stdout.split(/^Thread \d+ \(LWP (\d+)\):$/m)
  const threads = Array.from({ length: parts.length / 2 }, (_, index) => ({
    lwp: Number(parts[2 * index]),
    registers: registersIn(parts[2 * index + 1] ?? ''),
  }))
  const current = /^\[Current thread is \d+ \(LWP (\d+)\)\]$/m.exec(stdout)?.[1]
  return { threads, current: current === undefined ? undefined : Number(current), output }
}

function registersIn(text: string): Thread['registers'] {
  const values = [...text.matchAll(/^(\w+)\s+(0x[0-9a-f]+)\s/gm)]
  return Object.fromEntries(values.map(([, name = '', value = '']) => [name, BigInt(value)]))
}
