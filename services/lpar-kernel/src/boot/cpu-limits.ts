/** The boot arguments that limit processors: `nr_cpus=`, `maxcpus=`, `nosmp` (`kernel/smp.c`, `smp_setup_cpu_maps`). */
import { splitCommandLine } from '@fadump-lab/shared/fadump'

export interface CpuLimits {
  /** `nr_cpu_ids`: CPUs from this number on do not exist for the kernel, nor does it spend memory on them. */
  readonly nrCpuIds: number
  /** How many of them the boot starts; user space can bring up the others later. */
  readonly started: number
}

/**
 * The limits of a kernel with room for `configured` CPUs (`CONFIG_NR_CPUS`). Of several `nr_cpus=` the smallest counts,
 * of several `maxcpus=` the last; with 0, and with `nosmp`, the boot CPU runs alone.
 */
export function cpuLimitsOf(commandLine: string, configured: number): CpuLimits {
  const words = splitCommandLine(commandLine)
  const numbersOf = (wanted: string) =>
    words.flatMap(({ name, value = '' }) => (name === wanted ? leadingInteger(value) : []))
  const limits = words.flatMap(({ name, value = '' }) =>
    name === 'nosmp' ? [0] : name === 'maxcpus' ? leadingInteger(value) : [],
  )
  return {
    nrCpuIds: Math.min(configured, ...numbersOf('nr_cpus').filter((number) => number > 0)),
    started: Math.max(1, limits.at(-1) ?? configured),
  }
}

/** `get_option`: the integer that the text begins with, in any C radix; none when there is none, or a negative one. */
function leadingInteger(text: string): number[] {
  const digits = /^(0x[0-9a-f]+|\d+)/i.exec(text)?.[1]
  if (digits === undefined) return []
  return [/^0[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number(digits)]
}
