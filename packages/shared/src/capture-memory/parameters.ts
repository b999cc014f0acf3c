/**
 * The numbers of the model by name: what each means and in which unit. A preset gives every one of them a value with
 * its source; the formulas are in consumers.ts and network-cards.ts.
 */

export interface ParameterRow {
  readonly unit: 'MiB' | 'KiB' | 'bytes' | 'bytes per MiB' | 'share' | 'count'
  readonly meaning: string
}

export const parameters = {
  firmware: { unit: 'MiB', meaning: 'RTAS, device tree, headers, log buffer' },
  kernelImage: { unit: 'MiB', meaning: 'kernel text, data and bss' },
  processTable: { unit: 'MiB', meaning: 'process table of the radix MMU' },
  page64Overhead: { unit: 'MiB', meaning: 'what 64 KiB pages cost beside file rounding' },
  page4Overhead: { unit: 'MiB', meaning: 'what 4 KiB pages cost beside the memory map' },
  structPage: { unit: 'bytes', meaning: 'struct page, one a page of memory' },
  memoryMapUnit: { unit: 'MiB', meaning: 'the memory map grows in pieces of this; 0: no rounding' },
  hashTables: { unit: 'bytes per MiB', meaning: 'large system hashes, by boot memory' },
  perCpuArea: { unit: 'MiB', meaning: 'per-CPU area, paca and stacks of one possible CPU' },
  perCpuUse: { unit: 'MiB', meaning: 'slabs, kernel threads and page lists of one CPU' },
  kernelDynamic: { unit: 'MiB', meaning: 'slabs, stacks and page tables before user space' },
  memoryController: { unit: 'MiB', meaning: 'the memory controller of control groups' },
  memoryControllerPerCpu: { unit: 'MiB', meaning: 'the memory controller, for each CPU' },
  initramfsImage: { unit: 'MiB', meaning: 'compressed initramfs without network' },
  initramfsContent: { unit: 'MiB', meaning: 'unpacked initramfs without network' },
  initramfsFiles: { unit: 'count', meaning: 'files in it; each wastes half a page' },
  networkContent: { unit: 'MiB', meaning: 'what a network target adds to the unpacked initramfs' },
  networkFiles: { unit: 'count', meaning: 'files that it adds' },
  networkImageShare: { unit: 'share', meaning: 'compressed size of the network part' },
  userSpace: { unit: 'MiB', meaning: 'init, journal and other daemons' },
  udevWorker: { unit: 'MiB', meaning: 'one udev worker' },
  udevWorkersGone: { unit: 'share', meaning: 'udev workers that exit before the transfer' },
  luksOverhead: { unit: 'MiB', meaning: 'cryptsetup beside the memory of the key slot' },
  networkModule: { unit: 'MiB', meaning: 'text and data of a small network driver' },
  networkUserSpace: { unit: 'MiB', meaning: 'DHCP client or network manager' },
  address: { unit: 'MiB', meaning: 'lease, routes, sockets' },
  collector: { unit: 'MiB', meaning: 'makedumpfile without bitmaps and threads' },
  bitmapMax: { unit: 'MiB', meaning: 'upper bound of one of the two page bitmaps' },
  bitmapFreeShare: { unit: 'share', meaning: 'free memory that one bitmap may take' },
  thread: { unit: 'KiB', meaning: 'one compressing thread beside its page buffers' },
  threadPages: { unit: 'count', meaning: 'page buffers of a thread' },
  sshClient: { unit: 'MiB', meaning: 'ssh' },
  socketBuffers: { unit: 'MiB', meaning: 'data in flight on a TCP socket' },
  nfsClient: { unit: 'MiB', meaning: 'requests in flight to an NFS server' },
  httpServer: { unit: 'MiB', meaning: 'server that a dump server pulls from' },
  dirtyShareLocal: { unit: 'share', meaning: 'page cache of a local copy, of what is left' },
  dirtyShareSsh: { unit: 'share', meaning: 'page cache of a copy over a socket, of what is left' },
  dirtyShareNfs: { unit: 'share', meaning: 'dirty and unstable pages of NFS, of what is left' },
  dirtyOverhead: { unit: 'share', meaning: 'buffer heads, of the page cache' },
  minimumFree: { unit: 'MiB', meaning: 'floor of what must stay free' },
  minimumFreeShare: {
    unit: 'share',
    meaning: 'zone watermarks above min_free_kbytes, of boot memory',
  },
  vethLargeBuffers: { unit: 'count', meaning: 'buffers of ibmveth in its pool of 64 KiB' },
} as const satisfies Readonly<Record<string, ParameterRow>>

export type ParameterName = keyof typeof parameters

export const parameterNames = Object.keys(parameters) as readonly ParameterName[]

export interface ParameterValue {
  readonly value: number
  /**
   * Where the number is from: measured on a running capture kernel by this project, published by others, read in
   * source code, or assumed.
   */
  readonly basis: 'measured' | 'published' | 'code' | 'assumed'
  /** The run, page, commit or file; for an assumption what it stands for. */
  readonly source: string
}

export type ParameterValues = Readonly<Record<ParameterName, ParameterValue>>
