/** What a kernel prints while it boots: words and order are Linux', as far as our partitions have what they speak of. */
import type { KernelProfileName } from '@fadump-lab/shared/contracts'
import { GiB, KiB, MiB } from '@fadump-lab/shared/units'
import { linuxBanner } from '../memory/kernel-image.ts'

export interface BootFacts {
  readonly profile: KernelProfileName
  readonly memoryBytes: bigint
  readonly pageBytes: bigint
  readonly processors: number
  readonly onlineProcessors: number
  /** `CONFIG_NR_CPUS`, and what the command line leaves of it. */
  readonly nrCpus: number
  readonly nrCpuIds: number
  readonly commandLine: string
  /** What is free after the reservation. */
  readonly availableBytes: bigint
  /** What is reserved and lent to user pages: CMA. */
  readonly lentBytes: bigint
  /** The highest address, holes included. */
  readonly memoryEnd: bigint
  /** The scan and the reservation. */
  readonly early: readonly string[]
  /** Parameter area and contiguous memory. */
  readonly later: readonly string[]
}

export function bootLines(facts: BootFacts): string[] {
  const { profile } = facts
  return [...facts.early, ...(profile === 'v5' ? v5Lines(facts) : modernLines(facts))]
}

function topLines({ memoryBytes, memoryEnd }: BootFacts): string[] {
  return [
    `Top of RAM: 0x${memoryEnd.toString(16)}, Total RAM: 0x${memoryBytes.toString(16)}`,
    `Memory hole size: ${(memoryEnd - memoryBytes) / MiB}MB`,
  ]
}

function configuredLine({ processors, nrCpuIds }: BootFacts): string {
  const line = `Partition configured for ${processors} cpus`
  return processors > nrCpuIds ? `${line}, operating system maximum is ${nrCpuIds}.` : `${line}.`
}

function v5Lines(facts: BootFacts): string[] {
  const { memoryBytes, availableBytes, pageBytes } = facts
  return [
    'Using pSeries machine description',
    linuxBanner('v5').trimEnd(),
    configuredLine(facts),
    'CPU maps initialized for 1 thread per core',
    'Starting Linux PPC64 #1 SMP Tue Nov 15 15:14:00 UTC 2011',
    '-----------------------------------------------------',
    'ppc64_pft_size                = 0x1a',
    `physicalMemorySize            = 0x${memoryBytes.toString(16)}`,
    'htab_hash_mask                = 0x7ffff',
    '-----------------------------------------------------',
    ...topLines(facts),
    'Zone PFN ranges:',
    `  DMA      0x00000000 -> 0x${(facts.memoryEnd / pageBytes).toString(16).padStart(8, '0')}`,
    '  Normal   empty',
    `Built 1 zonelists in Node order, mobility grouping on.  Total pages: ${memoryBytes / pageBytes}`,
    `Kernel command line: ${facts.commandLine}`,
    `Memory: ${availableBytes / KiB}k/${memoryBytes / KiB}k available (10112k kernel code, ${(memoryBytes - availableBytes) / KiB}k reserved, 1216k data, 640k bss, 512k init)`,
    'NR_IRQS:512 nr_irqs:512 16',
    `Brought up ${facts.onlineProcessors} CPUs`,
    'ehea: IBM eHEA ethernet device driver (Release EHEA_0107)',
    'NET: Registered protocol family 2',
    ...facts.later,
  ]
}

function modernLines(facts: BootFacts): string[] {
  const { memoryBytes, availableBytes, pageBytes } = facts
  return [
    'radix-mmu: Page sizes from device-tree:',
    'radix-mmu: Page size shift = 16 AP=0x5',
    'lpar: Using radix MMU under hypervisor',
    linuxBanner('modern').trimEnd(),
    configuredLine(facts),
    'CPU maps initialized for 1 thread per core',
    '-----------------------------------------------------',
    `phys_mem_size     = 0x${memoryBytes.toString(16)}`,
    'dcache_bsize      = 0x80',
    'icache_bsize      = 0x80',
    'vmalloc start     = 0xc008000000000000',
    'vmemmap start     = 0xc00c000000000000',
    '-----------------------------------------------------',
    ...topLines(facts),
    'Zone ranges:',
    `  Normal   [mem 0x0000000000000000-0x${(facts.memoryEnd - 1n).toString(16).padStart(16, '0')}]`,
    `Kernel command line: ${facts.commandLine}`,
    ...facts.later,
    `Built 1 zonelists, mobility grouping on.  Total pages: ${memoryBytes / pageBytes}`,
    `rcu: \tRCU restricting CPUs from NR_CPUS=${facts.nrCpus} to nr_cpu_ids=${Math.min(facts.processors, facts.nrCpuIds)}.`,
    'smp: Bringing up secondary CPUs ...',
    `smp: Brought up 1 node, ${facts.onlineProcessors} CPU${facts.onlineProcessors === 1 ? '' : 's'}`,
    `Memory: ${availableBytes / KiB}K/${memoryBytes / KiB}K available (10560K kernel code, 1920K rwdata, 5824K rodata, 2624K init, 1209K bss, ${(memoryBytes - availableBytes - facts.lentBytes) / KiB}K reserved, ${facts.lentBytes / KiB}K cma-reserved)`,
    'NET: Registered PF_INET protocol family',
  ]
}

/** The answer of /proc/meminfo; `lentBytes` of those that have CMA. */
export function meminfoText(totalBytes: bigint, usedBytes: bigint, lentBytes?: bigint): string {
  const free = totalBytes > usedBytes ? totalBytes - usedBytes : 0n
  const row = (name: string, bytes: bigint) =>
    `${`${name}:`.padEnd(16)}${`${bytes / KiB}`.padStart(8)} kB\n`
  return [
    row('MemTotal', totalBytes),
    row('MemFree', free),
    row('MemAvailable', free),
    ...(lentBytes === undefined ? [] : [row('CmaTotal', lentBytes), row('CmaFree', lentBytes)]),
  ].join('')
}

/** Kernel text, data and page tables of an idle system. */
export const kernelUseBytes = (memoryBytes: bigint): bigint => 32n * MiB + (memoryBytes / GiB) * MiB
