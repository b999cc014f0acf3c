/**
 * A capture kernel of a distribution of 2022 to 2026 with the defaults that kdump-utils gives to fadump: at most 16
 * CPUs, two udev workers, no memory controller.
 */
import type { Preset } from './preset.ts'
import { preset2011 } from './preset-2011.ts'

const suse2018 = 'openSUSE/kdump 9703485 (2018), kdumptool/calibrate.cc'
const suse2019 = 'openSUSE/kdump 898b9e7 (2019), kdumptool/calibrate.cc, ppc64'

export const presetNow: Preset = {
  title: 'a distribution of 2022 to 2026 with the defaults of kdump-utils',
  bootMemoryArgument: 'crashkernel',
  bootMemoryShareMax: 0.25,
  reservesHugepages: false,
  limitsCaptureCpus: true,
  initramfsOptions: true,
  defaults: {
    // FADUMP_COMMANDLINE_APPEND of kdump-utils, gen-kdump-sysconfig.sh.
    nrCpus: 16,
    udevWorkers: 2,
    memoryController: false,
    // The production command line names root=, so rootfs is ramfs (init/do_mounts.c); kdump's leaves it out.
    rootfsPercent: { fadump: 100, kdump: 50 },
  },
  values: {
    ...preset2011.values,
    firmware: { value: 8, basis: 'assumed', source: 'RTAS, device tree, headers, log buffer' },
    kernelImage: {
      value: 60,
      basis: 'assumed',
      source: 'images of 47 to 70 MB (kdumpctl estimate)',
    },
    processTable: { value: 0, basis: 'assumed', source: 'contained in page64Overhead' },
    page64Overhead: {
      value: 82,
      basis: 'published',
      source: 'kdump-utils 05c4861: difference in MemFree on aarch64',
    },
    structPage: { value: 64, basis: 'code', source: 'struct page of Linux 5 to 7' },
    perCpuArea: {
      value: 172 / 1024,
      basis: 'published',
      source: 'openSUSE/kdump 94c62aa: 172 KiB',
    },
    perCpuUse: {
      value: 1 - 172 / 1024,
      basis: 'published',
      source: 'kdump-utils 0d38985: 1 MiB a CPU, less the area',
    },
    kernelDynamic: { value: 8, basis: 'assumed', source: 'slabs and page tables' },
    memoryController: { value: 2, basis: 'assumed', source: 'root group and slab accounting' },
    memoryControllerPerCpu: { value: 0.1, basis: 'assumed', source: 'per-CPU statistics' },
    initramfsImage: {
      value: 40,
      basis: 'published',
      source: `${suse2019}: about half of the content`,
    },
    initramfsContent: { value: 87, basis: 'published', source: suse2019 },
    initramfsFiles: { value: 0, basis: 'assumed', source: 'the content is counted in pages' },
    networkContent: { value: 4, basis: 'published', source: suse2019 },
    networkFiles: { value: 0, basis: 'assumed', source: 'the content is counted in pages' },
    userSpace: { value: 28, basis: 'published', source: `${suse2018}: systemd, journald, haveged` },
    udevWorker: { value: 2.8, basis: 'published', source: `${suse2018}: 10 workers 28 MB` },
    networkUserSpace: { value: 10, basis: 'published', source: `${suse2018}: dhclient` },
    collector: { value: 2, basis: 'assumed', source: 'makedumpfile 1.7' },
    sshClient: { value: 10, basis: 'assumed', source: 'ssh with its libraries' },
    vethLargeBuffers: { value: 256, basis: 'code', source: 'ibmveth.h: pool_active 1, 1, 0, 0, 1' },
  },
}
