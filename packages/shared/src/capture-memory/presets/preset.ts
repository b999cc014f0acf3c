/** What a preset is: a kernel with its user space, as numbers and as defaults of settings. */
import type { ParameterName, ParameterValues } from '../parameters.ts'

export interface PresetDefaults {
  readonly udevWorkers: number
  /** CPUs that the capture kernel brings up at most; undefined: all. */
  readonly nrCpus?: number
  readonly memoryController: boolean
  /** Share of memory that the root file system may take, percent, by mechanism; 100: ramfs, no limit. */
  readonly rootfsPercent: { readonly fadump: number; readonly kdump: number }
}

export interface Preset {
  readonly title: string
  readonly values: ParameterValues
  readonly defaults: PresetDefaults
  /** The boot argument that sets boot memory. */
  readonly bootMemoryArgument: 'fadump_reserve_mem' | 'crashkernel'
  /** Largest share of all memory that fadump takes as boot memory; 1: no rule of the kernel. */
  readonly bootMemoryShareMax: number
  /** Whether `hugepages=` of the production kernel takes memory of the capture kernel too. */
  readonly reservesHugepages: boolean
  /** Whether `nr_cpus=` can be given to the capture kernel alone. */
  readonly limitsCaptureCpus: boolean
  /** Whether `initramfs_options=size=` is known (Linux 6.18). */
  readonly initramfsOptions: boolean
}

/** The bare numbers of a preset, as the formulas take them. */
export type Numbers = Readonly<Record<ParameterName, number>>
