/** What a command line says about the capture kernel's memory. Values that Linux would ignore are ignored. */
import { splitCommandLine } from '@fadump-lab/shared/fadump'
import { cpuLimitsOf } from '../boot/cpu-limits.ts'

export interface CaptureArguments {
  /** `mem=`, when it is less than all memory. */
  readonly memLimitMiB?: number
  /** `nr_cpu_ids` as the boot reads it; `maxcpus=` limits what is started, not what memory is spent on. */
  readonly nrCpus?: number
  readonly hugepagesMiB?: number
  readonly udevWorkers?: number
  /** `initramfs_options=size=N%`, or 100 with `root=`: rootfs is then ramfs (init/do_mounts.c). */
  readonly rootfsPercent?: number
  /** `cgroup_disable=memory`. */
  readonly noMemoryController: boolean
  /** `ehea.use_mcs=0`. */
  readonly singleQueue: boolean
  /** `sysctl.vm.panic_on_oom=1`, or in the words of vm.panic_on_oom. */
  readonly panicOnOom: boolean
}

/** Bytes that a suffix of `memparse` stands for. */
const suffixes: Readonly<Record<string, number>> = {
  '': 1,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
}
const bytesPerMiB = 2 ** 20
/** Of the hash MMU; radix has 2 MiB. */
const hugepageMiBDefault = 16
const udevNames = ['udev.children-max', 'rd.udev.children-max', 'udev.children_max']
const panicNames = ['sysctl.vm.panic_on_oom', 'vm.panic_on_oom']

export function captureArguments(commandLine: string, memoryMiB: number): CaptureArguments {
  const words = splitCommandLine(commandLine)
  const valueOf = (...names: readonly string[]) =>
    words.findLast(({ name, value }) => names.includes(name) && value !== undefined)?.value
  const memLimitMiB = sizeMiB(valueOf('mem'))
  const nrCpus = cpuLimitsOf(commandLine, Infinity).nrCpuIds
  const hugepages = count(valueOf('hugepages'), 0)
  const hugepageMiB = sizeMiB(valueOf('hugepagesz')) ?? hugepageMiBDefault
  const udevWorkers = count(valueOf(...udevNames), 0)
  const rootfsPercent = rootfsShare(valueOf('initramfs_options'), valueOf('root'))
  return {
    ...(memLimitMiB === undefined || memLimitMiB >= memoryMiB ? {} : { memLimitMiB }),
    ...(nrCpus === Infinity ? {} : { nrCpus }),
    ...(hugepages === undefined ? {} : { hugepagesMiB: hugepages * hugepageMiB }),
    ...(udevWorkers === undefined ? {} : { udevWorkers }),
    ...(rootfsPercent === undefined ? {} : { rootfsPercent }),
    noMemoryController: words.some(
      ({ name, value }) => name === 'cgroup_disable' && (value ?? '').split(',').includes('memory'),
    ),
    singleQueue: valueOf('ehea.use_mcs') === '0',
    panicOnOom: ['1', '2'].includes(valueOf(...panicNames) ?? ''),
  }
}

function sizeMiB(text: string | undefined): number | undefined {
  const [, digits, suffix = ''] = /^(\d{1,15})([kmgt]?)/i.exec(text ?? '') ?? []
  if (digits === undefined) return undefined
  return Math.floor((Number(digits) * (suffixes[suffix.toLowerCase()] ?? 1)) / bytesPerMiB)
}

function count(text: string | undefined, min: number): number | undefined {
  if (text === undefined || !/^\d{1,6}$/.test(text)) return undefined
  const value = Number(text)
  return value >= min ? value : undefined
}

function rootfsShare(options: string | undefined, root: string | undefined): number | undefined {
  const [, percent] = /(?:^|,)size=(\d{1,3})%/.exec(options ?? '') ?? []
  const given = count(percent, 1)
  if (given !== undefined && given <= 100) return given
  return root === undefined ? undefined : 100
}
