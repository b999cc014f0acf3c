/** /sys/devices/system/cpu: which CPUs there are, and taking one offline (C060) or online again. */
import { errnoProblem } from '../kernel/errno.ts'
import { onlineCpus, possibleCpus, type KernelRecord } from '../kernel/kernel-record.ts'
import type { RunningKernel } from '../kernel/running-kernel.ts'
import { setOnline } from './cpu-hotplug.ts'
import type { SysfsFile } from './file.ts'

const directory = 'devices/system/cpu'

/** The CPU file at `path`, if it is one. */
export function cpuFiles(record: KernelRecord, path: string): SysfsFile | undefined {
  const list = lists[path]
  if (list !== undefined) {
    const read = (kernel: RunningKernel) => `${cpuList(list(kernel.record))}\n`
    return { path, mode: 0o444, exists: () => true, read }
  }
  const digits = /^devices\/system\/cpu\/cpu(0|[1-9]\d{0,4})\/online$/.exec(path)?.[1]
  if (digits === undefined) return undefined
  const cpu = Number(digits)
  if (!possibleCpus(record).includes(cpu)) return undefined
  return {
    path,
    mode: 0o644,
    exists: () => true,
    read: (kernel) => (kernel.record.offlineCpus.includes(cpu) ? '0\n' : '1\n'),
    write: (kernel, text) => writeOnline(kernel, cpu, text),
  }
}

const lists: Readonly<Record<string, (record: KernelRecord) => readonly number[]>> = {
  [`${directory}/online`]: onlineCpus,
  [`${directory}/offline`]: (record) =>
    possibleCpus(record).filter((cpu) => record.offlineCpus.includes(cpu)),
  [`${directory}/possible`]: possibleCpus,
  [`${directory}/present`]: presentCpus,
}

function presentCpus(record: KernelRecord): number[] {
  return possibleCpus(record).filter((cpu) => !record.removedCpus.includes(cpu))
}

/** `0-3,5,7-8`, as `%*pbl` prints a mask. */
function cpuList(cpus: readonly number[]): string {
  const runs: [number, number][] = []
  for (const cpu of cpus.toSorted((a, b) => a - b)) {
    const last = runs.at(-1)
    if (last !== undefined && last[1] === cpu - 1) last[1] = cpu
    else runs.push([cpu, cpu])
  }
  return runs.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(',')
}

async function writeOnline(kernel: RunningKernel, cpu: number, text: string): Promise<void> {
  const { record } = kernel
  const path = `/sys/${directory}/cpu${cpu}/online`
  const isOnline = !record.offlineCpus.includes(cpu)
  const wanted = onlineValue[text.charAt(0)]
  if (wanted === undefined) {
    throw errnoProblem('EINVAL', path, `${JSON.stringify(text)} is neither 0 nor 1`)
  }
  if (record.removedCpus.includes(cpu)) {
    throw errnoProblem('EINVAL', path, `CPU ${cpu} is not there; add it first`)
  }
  if (wanted === isOnline) {
    // 3.4 refuses what is so already; newer kernels take it as done.
    if (record.profile === 'modern') return
    throw errnoProblem('EINVAL', path, `CPU ${cpu} is ${isOnline ? 'online' : 'offline'} already`)
  }
  if (!wanted && onlineCpus(record).length === 1) {
    throw errnoProblem('EBUSY', path, `CPU ${cpu} is the last one online`)
  }
  await setOnline(kernel, cpu, wanted)
}

const onlineValue: Readonly<Record<string, boolean>> = { '0': false, '1': true }
