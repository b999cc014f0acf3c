/**
 * Linux 7.2.12 with a small busybox initramfs, as measured by this project under QEMU 11.1 (pseries, POWER9, radix MMU,
 * 64 KiB and 4 KiB pages). Each number is read from the serial log of a capture boot, unless it says otherwise.
 *
 * `MemTotal` is boot memory less firmware, kernel image, process table, memory map, hash tables and per-CPU areas; what
 * was left after these had been subtracted is the row `firmware`.
 */
import type { Preset } from './preset.ts'
import { presetNow } from './preset-now.ts'

export const presetLinux72: Preset = {
  title: 'Linux 7.2.12 with busybox, as measured under QEMU 11.1',
  bootMemoryArgument: 'crashkernel',
  bootMemoryShareMax: 0.25,
  reservesHugepages: false,
  limitsCaptureCpus: true,
  initramfsOptions: true,
  defaults: {
    udevWorkers: 0,
    memoryController: false,
    // The measured boots name no root=, so rootfs is tmpfs with its default of half of memory.
    rootfsPercent: { fadump: 50, kdump: 50 },
  },
  values: {
    ...presetNow.values,
    firmware: {
      value: 1.7,
      basis: 'measured',
      source: 'rest of MemTotal; log buffer 1.1 MiB, device tree, RTAS',
    },
    kernelImage: {
      value: 19_513 / 1024,
      basis: 'measured',
      source: 'Memory: 10560K code, 1920K rwdata, 5824K rodata, 1209K bss',
    },
    processTable: {
      value: 16,
      basis: 'measured',
      source: 'MemTotal with disable_radix less with radix: 16576 kB',
    },
    page64Overhead: { value: 0, basis: 'measured', source: 'contained in the other rows' },
    page4Overhead: {
      value: 6.1,
      basis: 'measured',
      source: 'MemTotal of the 4 KiB kernel, memory map subtracted; the cause was not looked for',
    },
    memoryMapUnit: {
      value: 2,
      basis: 'measured',
      source: 'MemTotal the same with 1 and 2 GiB, 2176 kB less with 3 GiB',
    },
    hashTables: {
      value: 3072,
      basis: 'code',
      source: 'dentry and inode caches: at most 24 bytes for 8 KiB (sizes are powers of two)',
    },
    perCpuArea: {
      value: 0.29,
      basis: 'measured',
      source: 'MemTotal with 2, 8 and 16 possible CPUs: 297 to 299 kB each',
    },
    perCpuUse: {
      value: 3.58,
      basis: 'measured',
      source: 'MemTotal less MemFree with 2 and 8 CPUs, 64 KiB pages',
    },
    kernelDynamic: {
      value: 26.4,
      basis: 'measured',
      source: 'MemTotal less MemFree in user space, CPUs and files subtracted',
    },
    initramfsImage: { value: 4.25, basis: 'measured', source: 'Freeing initrd memory: 4352K' },
    initramfsContent: { value: 10.7, basis: 'measured', source: 'Shmem 10944 kB after boot' },
    networkContent: { value: 0, basis: 'measured', source: 'contained: the driver is built in' },
    userSpace: { value: 1, basis: 'measured', source: 'OOM report: a busybox shell' },
    networkModule: { value: 0, basis: 'measured', source: 'the driver is built in' },
    networkUserSpace: {
      value: 0.9,
      basis: 'measured',
      source: 'MemFree 241024 kB before, 203264 kB after ibmveth came up, rings subtracted',
    },
    collector: {
      value: 3.2,
      basis: 'measured',
      source: 'OOM report: makedumpfile, 51 anonymous pages',
    },
    minimumFree: { value: 1.4, basis: 'assumed', source: 'lower end of min_free_kbytes' },
    minimumFreeShare: {
      value: 0,
      basis: 'measured',
      source: 'OOM report: free 1472 kB below min 2112 kB, the square-root rule alone',
    },
  },
}
