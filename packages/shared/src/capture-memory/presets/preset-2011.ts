/**
 * A capture kernel of 2011: big-endian Linux 2.6.39 to 3.4 with a distribution's initramfs, as in the patch series that
 * raised the minimum boot memory by 64 MiB. No number of it was measured on the machines of the series.
 */
import type { Preset } from './preset.ts'

const suse2014 = 'openSUSE/kdump 20f0566 (2014), kdumptool/calibrate.cc, ppc64'
const suse = 'openSUSE/kdump, kdumptool/calibrate.cc'

export const preset2011: Preset = {
  title: 'Linux 2.6.39 to 3.4 with the initramfs of a distribution, 2011',
  bootMemoryArgument: 'fadump_reserve_mem',
  bootMemoryShareMax: 1,
  reservesHugepages: true,
  limitsCaptureCpus: false,
  initramfsOptions: false,
  defaults: {
    udevWorkers: 10,
    memoryController: false,
    // rootfs is ramfs before Linux 3.13 (57f150a58c40): no limit.
    rootfsPercent: { fadump: 100, kdump: 100 },
  },
  values: {
    firmware: { value: 4, basis: 'assumed', source: 'RTAS, headers, ELF core header' },
    kernelImage: { value: 24, basis: 'published', source: suse2014 },
    processTable: { value: 0, basis: 'code', source: 'hash MMU: POWER6 and POWER7 have none' },
    page64Overhead: { value: 0, basis: 'assumed', source: 'contained in the rounding of files' },
    page4Overhead: { value: 0, basis: 'assumed', source: 'no measurement' },
    structPage: { value: 56, basis: 'code', source: 'struct page of Linux 2.6.39 to 3.4' },
    memoryMapUnit: { value: 0, basis: 'assumed', source: 'rounding left out' },
    hashTables: { value: 232 * 8, basis: 'published', source: `${suse}, KERNEL_HASH_PER_MB` },
    perCpuArea: {
      value: 172 / 1024,
      basis: 'published',
      source: 'openSUSE/kdump 94c62aa (2014): 172 KiB',
    },
    perCpuUse: {
      value: 1,
      basis: 'published',
      source: 'kdump-utils 0d38985: 1 MiB a CPU on Power',
    },
    kernelDynamic: { value: 4, basis: 'assumed', source: 'early slabs and page tables' },
    memoryController: { value: 0, basis: 'assumed', source: 'test kernels without it' },
    memoryControllerPerCpu: { value: 0, basis: 'assumed', source: 'test kernels without it' },
    initramfsImage: { value: 14, basis: 'published', source: `${suse2014}: INITRD_COMPRESS 50` },
    initramfsContent: { value: 28, basis: 'published', source: suse2014 },
    initramfsFiles: { value: 900, basis: 'assumed', source: 'a distribution initramfs' },
    networkContent: { value: 3, basis: 'published', source: suse2014 },
    networkFiles: { value: 60, basis: 'assumed', source: 'dhclient, ssh, libraries' },
    networkImageShare: {
      value: 0.5,
      basis: 'published',
      source: `${suse2014}: INITRD_COMPRESS 50`,
    },
    userSpace: { value: 17, basis: 'published', source: suse2014 },
    udevWorker: { value: 1.2, basis: 'published', source: 'openSUSE/kdump 9962575 (2014)' },
    udevWorkersGone: {
      value: 0.8,
      basis: 'assumed',
      source: 'idle workers exit after udevadm settle',
    },
    luksOverhead: { value: 20, basis: 'published', source: 'kdump-utils 6ce4b85' },
    networkModule: { value: 1, basis: 'assumed', source: 'text and data of ehea' },
    networkUserSpace: { value: 7, basis: 'published', source: `${suse2014}: dhclient` },
    address: { value: 0.06, basis: 'assumed', source: 'one page of 64 KiB' },
    collector: { value: 1, basis: 'published', source: suse2014 },
    bitmapMax: {
      value: 4,
      basis: 'published',
      source: 'makedumpfile 0b73282; kdump-utils e576987',
    },
    bitmapFreeShare: {
      value: 0.6,
      basis: 'code',
      source: 'makedumpfile.c calculate_cyclic_buffer_size',
    },
    thread: {
      value: 233,
      basis: 'published',
      source: `${suse}, main: 128 + 5 + 2 × 50 KiB a thread`,
    },
    threadPages: {
      value: 8,
      basis: 'code',
      source: 'makedumpfile.h PAGE_DATA_NUM 5, and 3 buffers',
    },
    sshClient: { value: 6, basis: 'assumed', source: 'ssh of 2011' },
    socketBuffers: { value: 4, basis: 'code', source: 'net/ipv4/tcp.c: tcp_wmem up to 4 MiB' },
    nfsClient: { value: 24, basis: 'assumed', source: '16 requests of 1 MiB, and rounding' },
    httpServer: { value: 4, basis: 'assumed', source: 'a small static server' },
    dirtyShareLocal: { value: 0.2, basis: 'code', source: 'mm/page-writeback.c vm_dirty_ratio 20' },
    dirtyShareSsh: { value: 0.02, basis: 'assumed', source: 'nothing is written to files' },
    dirtyShareNfs: {
      value: 0.4,
      basis: 'assumed',
      source: 'dirty pages, and as many awaiting COMMIT',
    },
    dirtyOverhead: { value: 64 / 1024, basis: 'published', source: `${suse}, BUF_PER_DIRTY_MB` },
    minimumFree: { value: 1.4, basis: 'assumed', source: 'lower end of min_free_kbytes' },
    minimumFreeShare: {
      value: 0.01,
      basis: 'assumed',
      source: 'watermarks low and high, free page lists',
    },
    vethLargeBuffers: {
      value: 0,
      basis: 'code',
      source: 'ibmveth.h of 3.4: pool_active 1, 1, 0, 0, 0',
    },
  },
}
