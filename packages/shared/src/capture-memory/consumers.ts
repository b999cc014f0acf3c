/**
 * Who takes memory in a capture kernel: one row each with its formula, in the order in which they take it. What a row
 * takes stays taken until the end of its last phase; without one it stays.
 */
import { invariant } from '../units/index.ts'
import { networkCard } from './network-cards.ts'
import type { Phase } from './phases.ts'
import { presets } from './presets/presets.ts'
import type { Numbers } from './presets/preset.ts'
import type { CaptureSystem } from './capture-system.ts'
import type { TargetRow } from './targets.ts'

/** What a formula may look at. */
export interface FormulaInput {
  readonly system: CaptureSystem
  readonly numbers: Numbers
  readonly target: TargetRow
  /** Free when the consumer begins, above what must stay free, MiB; below 0 when nothing is. */
  readonly freeMiB: number
  /** What must stay free, MiB. */
  readonly reserveMiB: number
}

export interface ConsumerRow {
  readonly name: string
  readonly phase: Phase
  /** Its last phase; absent: it stays. */
  readonly until?: Phase
  /** MiB; never negative. */
  readonly amountMiB: (input: FormulaInput) => number
  /** The formula in words, for the documentation. */
  readonly formula: string
  /** Not counted in MemTotal: taken before the kernel counts its memory. */
  readonly isReserved?: true
  /** Files of the root file system, bounded by its limit. */
  readonly isRootfs?: true
  /** Allocated by the driver of the network card in its largest pieces. */
  readonly isDriver?: true
  /** The process that dies when the OOM killer must choose, and what one process of it holds, MiB. */
  readonly process?: {
    readonly name: (input: FormulaInput) => string
    readonly sizeMiB: (input: FormulaInput) => number
  }
}

/** Bytes in a MiB. */
const MiB = 2 ** 20

export const consumers: readonly ConsumerRow[] = [
  {
    name: 'firmware and headers',
    phase: 'firmware hand-over',
    formula: 'firmware',
    isReserved: true,
    amountMiB: ({ numbers }) => numbers.firmware,
  },
  {
    name: 'kernel image',
    phase: 'kernel',
    formula: 'kernelImage',
    isReserved: true,
    amountMiB: ({ numbers }) => numbers.kernelImage,
  },
  {
    name: 'process table',
    phase: 'kernel',
    formula: 'processTable',
    isReserved: true,
    amountMiB: ({ numbers }) => numbers.processTable,
  },
  {
    name: 'page size overhead',
    phase: 'kernel',
    formula: 'page64Overhead or page4Overhead',
    isReserved: true,
    amountMiB: ({ system, numbers }) =>
      system.pageKiB === 64 ? numbers.page64Overhead : numbers.page4Overhead,
  },
  {
    name: 'memory map',
    phase: 'kernel',
    formula: 'pages × structPage, rounded up to memoryMapUnit; pages of all RAM for fadump',
    isReserved: true,
    amountMiB: memoryMapMiB,
  },
  {
    name: 'hash tables',
    phase: 'kernel',
    formula: 'boot memory × hashTables',
    isReserved: true,
    amountMiB: ({ system, numbers }) => (system.bootMemoryMiB * numbers.hashTables) / MiB,
  },
  {
    name: 'per-CPU areas',
    phase: 'kernel',
    formula: 'CPUs × perCpuArea',
    isReserved: true,
    amountMiB: ({ system, numbers }) => system.nrCpus * numbers.perCpuArea,
  },
  {
    name: 'slabs and page tables',
    phase: 'kernel',
    formula: 'kernelDynamic',
    amountMiB: ({ numbers }) => numbers.kernelDynamic,
  },
  {
    name: 'per-CPU slabs and lists',
    phase: 'kernel',
    formula: 'CPUs × perCpuUse',
    amountMiB: ({ system, numbers }) => system.nrCpus * numbers.perCpuUse,
  },
  {
    name: 'memory controller',
    phase: 'kernel',
    formula: 'memoryController + CPUs × memoryControllerPerCpu, unless cgroup_disable=memory',
    amountMiB: ({ system, numbers }) =>
      system.memoryController
        ? numbers.memoryController + system.nrCpus * numbers.memoryControllerPerCpu
        : 0,
  },
  {
    name: 'huge pages',
    phase: 'kernel',
    formula: 'hugepages=, as many as fit, where the kernel does not switch them off for fadump',
    amountMiB: ({ system, freeMiB }) =>
      presets[system.preset].reservesHugepages
        ? Math.min(system.hugepagesMiB, Math.max(0, freeMiB))
        : 0,
  },
  {
    name: 'initramfs image',
    phase: 'initramfs unpack',
    until: 'initramfs unpack',
    formula: 'initramfsImage, and networkContent × networkImageShare for a network target',
    amountMiB: ({ system, numbers, target }) => {
      if (system.initramfsMiB !== undefined) return system.initramfsMiB
      const network = networkFilesMiB(system, numbers, target) * numbers.networkImageShare
      return numbers.initramfsImage + network
    },
  },
  {
    name: 'unpacked initramfs',
    phase: 'initramfs unpack',
    formula: 'content + files × half a page, and the same of the network part',
    isRootfs: true,
    amountMiB: ({ system, numbers, target }) => {
      if (system.rootfsMiB !== undefined) return system.rootfsMiB
      const base = numbers.initramfsContent + halfPagesMiB(numbers.initramfsFiles, system.pageKiB)
      return base + networkFilesMiB(system, numbers, target)
    },
  },
  {
    name: 'user space',
    phase: 'user space',
    formula: 'userSpace',
    amountMiB: ({ numbers }) => numbers.userSpace,
  },
  {
    name: 'udev workers that leave',
    phase: 'udev',
    until: 'address',
    formula: 'udev.children-max × udevWorker × udevWorkersGone',
    amountMiB: ({ system, numbers }) =>
      system.udevWorkers * numbers.udevWorker * numbers.udevWorkersGone,
    process: { name: () => 'systemd-udevd', sizeMiB: ({ numbers }) => numbers.udevWorker },
  },
  {
    name: 'udev workers that stay',
    phase: 'udev',
    formula: 'udev.children-max × udevWorker × (1 − udevWorkersGone)',
    amountMiB: ({ system, numbers }) =>
      system.udevWorkers * numbers.udevWorker * (1 - numbers.udevWorkersGone),
  },
  {
    name: 'LUKS key derivation',
    phase: 'udev',
    until: 'udev',
    formula: 'memory of the key slot + luksOverhead',
    amountMiB: ({ system, numbers }) =>
      system.luksMiB === 0 ? 0 : system.luksMiB + numbers.luksOverhead,
    process: {
      name: () => 'cryptsetup',
      sizeMiB: ({ system, numbers }) =>
        system.luksMiB === 0 ? 0 : system.luksMiB + numbers.luksOverhead,
    },
  },
  {
    name: 'network driver',
    phase: 'network modules',
    formula: 'text and data of the module',
    amountMiB: ({ system, numbers, target }) =>
      system.card === undefined || !target.needsNetwork
        ? 0
        : networkCard(system.card).moduleMiB(numbers),
  },
  {
    name: 'network user space',
    phase: 'network modules',
    formula: 'networkUserSpace',
    amountMiB: ({ numbers, target }) => (target.needsNetwork ? numbers.networkUserSpace : 0),
    process: {
      name: ({ system }) => (system.preset === '2011' ? 'dhclient' : 'NetworkManager'),
      sizeMiB: ({ numbers, target }) => (target.needsNetwork ? numbers.networkUserSpace : 0),
    },
  },
  {
    name: 'receive rings',
    phase: 'link up',
    formula: 'by card: ports × queues × what the driver fills',
    isDriver: true,
    amountMiB: ringsMiB,
  },
  {
    name: 'lease and sockets',
    phase: 'address',
    formula: 'address',
    amountMiB: ({ numbers, target }) => (target.needsNetwork ? numbers.address : 0),
  },
  {
    name: 'page bitmaps',
    phase: 'collector process',
    until: 'transfer',
    formula: '2 × min(bitmapMax, 2 bits a page of RAM, bitmapFreeShare × free)',
    amountMiB: bitmapsMiB,
  },
  {
    name: 'collector',
    phase: 'collector process',
    until: 'transfer',
    formula: 'collector',
    amountMiB: ({ numbers, target }) => (target.filters ? numbers.collector : 0),
    process: {
      name: () => 'makedumpfile',
      sizeMiB: (input) => (input.target.filters ? input.numbers.collector : 0) + bitmapsMiB(input),
    },
  },
  {
    name: 'collector threads',
    phase: 'collector process',
    until: 'transfer',
    formula:
      'as many of the threads as leave room for the transfer, thread + threadPages pages each',
    amountMiB: (input) => fittingThreads(input) * threadMiB(input),
  },
  {
    name: 'transfer client',
    phase: 'transfer',
    until: 'transfer',
    formula: 'sshClient, nfsClient or httpServer',
    amountMiB: ({ numbers, target }) => target.clientMiB(numbers),
    process: {
      name: ({ target }) => target.process,
      sizeMiB: ({ numbers, target }) => target.clientMiB(numbers),
    },
  },
  {
    name: 'data in flight',
    phase: 'transfer',
    until: 'transfer',
    formula: 'socketBuffers, or the window of a pulling server',
    amountMiB: ({ system, numbers, target }) => target.inFlightMiB(numbers, system.windowMiB),
  },
  {
    name: 'page cache',
    phase: 'transfer',
    until: 'transfer',
    formula: 'dirty share of the target × free × (1 + dirtyOverhead)',
    amountMiB: ({ numbers, target, freeMiB }) =>
      Math.max(0, freeMiB) * target.dirtyShare(numbers) * (1 + numbers.dirtyOverhead),
  },
]

/** Where a consumer stands in the table. */
export function consumerIndex(name: string): number {
  const index = consumers.findIndex((row) => row.name === name)
  invariant(index >= 0, `there is no consumer ${name}`)
  return index
}

/** tmpfs and ramfs keep every file in whole pages: half a page a file is lost. */
function halfPagesMiB(files: number, pageKiB: number): number {
  return (files * pageKiB) / 2 / 1024
}

function networkFilesMiB(system: CaptureSystem, numbers: Numbers, target: TargetRow): number {
  if (!target.needsNetwork) return 0
  return numbers.networkContent + halfPagesMiB(numbers.networkFiles, system.pageKiB)
}

function memoryMapMiB({ system, numbers }: FormulaInput): number {
  const mapped = system.mechanism === 'fadump' ? system.memLimitMiB : system.bootMemoryMiB
  const bytes = ((mapped * 1024) / system.pageKiB) * numbers.structPage
  const unit = numbers.memoryMapUnit
  return unit === 0 ? bytes / MiB : Math.ceil(bytes / MiB / unit) * unit
}

function ringsMiB({ system, numbers, target }: FormulaInput): number {
  if (system.card === undefined || !target.needsNetwork) return 0
  const queues = system.multiqueue ? system.queues : 1
  const { ports, pageKiB } = system
  return networkCard(system.card).ringsMiB({ ports, queues, pageKiB }, numbers)
}

/** makedumpfile: two bitmaps of 2 bits a page, bounded by its own limit and by what is free. */
function bitmapsMiB({ system, numbers, target, freeMiB, reserveMiB }: FormulaInput): number {
  if (!target.filters) return 0
  const pages = (system.memoryMiB * 1024) / system.pageKiB
  const free = Math.max(0, freeMiB + reserveMiB)
  return 2 * Math.min(numbers.bitmapMax, (pages * 2) / 8 / MiB, numbers.bitmapFreeShare * free)
}

function threadMiB({ system, numbers }: FormulaInput): number {
  return (numbers.threadPages * system.pageKiB + numbers.thread) / 1024
}

/** makedumpfile starts fewer threads when their buffers do not fit. */
export function fittingThreads(input: FormulaInput): number {
  const { system, numbers, target, freeMiB } = input
  if (!target.filters) return 0
  const transfer = target.clientMiB(numbers) + target.inFlightMiB(numbers, system.windowMiB)
  // One page of slack for the rounding of each of the consumers that follow.
  const left = freeMiB - transfer - (3 * system.pageKiB) / 1024
  return Math.max(0, Math.min(system.threads, Math.floor(left / threadMiB(input))))
}
