/** Which CPUs of a structure are shown, and CPU lists as kernels write them. */
import { cpusShown, type CpuChoice } from './explanation.ts'

/** Whether the CPU with this id, `index` of those in the structure, is shown in full. */
export function isShown(choice: CpuChoice, cpu: number, index: number): boolean {
  if (choice === 'all') return true
  return choice === 'first' ? index < cpusShown : choice.only === cpu
}

/** One remark about the CPUs that are not shown, when there are any. */
export function describeHidden(choice: CpuChoice, cpus: readonly number[]): string[] {
  const hidden = cpus.filter((cpu, index) => !isShown(choice, cpu, index))
  if (hidden.length === 0) return []
  const [are, it] = hidden.length === 1 ? ['CPU is', 'it'] : ['CPUs are', 'one of them']
  return [
    `${hidden.length} more ${are} not shown (${cpuListText(hidden)}): --cpu N shows ${it} in full`,
  ]
}

/** `1 CPU`, `2 CPUs`. */
export function cpuCount(cpus: number): string {
  return `${cpus} CPU${cpus === 1 ? '' : 's'}`
}

/** The most ranges of a list that are written out. */
const rangesMax = 64

/** `0-1,4`, as in /sys/devices/system/cpu/online; `none` for no CPU. */
export function cpuListText(cpus: Iterable<number>): string {
  const ranges: [number, number][] = []
  for (const cpu of [...cpus].toSorted((a, b) => a - b)) {
    const last = ranges.at(-1)
    if (last !== undefined && cpu <= last[1] + 1) last[1] = cpu
    else ranges.push([cpu, cpu])
  }
  const text = ranges
    .slice(0, rangesMax)
    .map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`))
  if (ranges.length > rangesMax) text.push('…')
  return text.length === 0 ? 'none' : text.join(',')
}
