/**
 * What a capture kernel of 2011 needs, as numbers. Units are in the names; every row says where its number is from.
 * A number whose source is "assumed" was set so that the published story holds (256 MiB dies of the network, 320 MiB
 * lives); it was never measured on the machines in question.
 */
const KiB = 1 / 1024

export interface PresetRow {
  readonly value: number
  readonly source: string
}

export const preset2011 = {
  firmwareMiB: { value: 4, source: 'assumed: RTAS, headers, elfcorehdr' },
  kernelTextMiB: {
    value: 24,
    source: 'SUSE kdumptool calibrate.cc, 2014: ppc64 text, data and bss',
  },
  kernelDynamicMiB: { value: 4, source: 'assumed: early slab and page tables' },
  structPageBytes: { value: 56, source: 'struct page of 2.6.39 to 3.4' },
  hashBytesPerMiB: { value: 232 * 8, source: 'SUSE kdumptool calibrate.cc: large system hashes' },
  perCpuMiB: {
    value: 0.172 + 1,
    source:
      'SUSE calibrate.cc 2014 (per-cpu area) and kdump-utils 0d389855086c (1 MiB a CPU on Power)',
  },
  initramfsImageMiB: { value: 14, source: 'SUSE kdumptool calibrate.cc, 2014: compressed image' },
  initramfsContentMiB: { value: 28, source: 'SUSE kdumptool calibrate.cc, 2014: unpacked' },
  initramfsFiles: { value: 900, source: 'assumed: files that tmpfs rounds up to a page' },
  networkContentMiB: { value: 3, source: 'SUSE kdumptool calibrate.cc: network part of the image' },
  networkFiles: { value: 60, source: 'assumed' },
  tmpfsShare: { value: 0.5, source: 'Linux default of rootfs: half of memory' },
  userSpaceMiB: { value: 17, source: 'SUSE kdumptool calibrate.cc, 2014' },
  udevWorkers: { value: 10, source: 'SUSE kdumptool calibrate.cc: 10 udevd' },
  udevWorkerMiB: { value: 1.2, source: 'SUSE kdumptool calibrate.cc, 2014' },
  udevWorkersGone: { value: 0.8, source: 'assumed: share of the workers that exit after settling' },
  networkModuleMiB: { value: 1, source: 'assumed: text and data of ehea' },
  dhcpMiB: { value: 7, source: 'SUSE kdumptool calibrate.cc: dhclient' },
  collectorMiB: { value: 1, source: 'SUSE kdumptool calibrate.cc: makedumpfile' },
  bitmapMiBMax: { value: 4, source: 'makedumpfile.c calculate_cyclic_buffer_size' },
  bitmapFreeShare: { value: 0.6, source: 'makedumpfile.c calculate_cyclic_buffer_size' },
  transferClientMiB: { value: 6, source: 'assumed: ssh' },
  transferBuffersMiB: { value: 4 + 60 * KiB, source: 'Linux tcp_wmem: 4 MiB in flight' },
  dirtyShareNetwork: { value: 0.02, source: 'assumed: page cache of a network copy' },
  dirtyShareLocal: { value: 0.2, source: 'Linux vm.dirty_ratio: 20 percent' },
  dirtyOverhead: { value: 64 * KiB, source: 'SUSE kdumptool calibrate.cc: 64 KiB a dirty MiB' },
  minimumFreeShare: { value: 0.01, source: 'assumed: zone watermarks above min_free_kbytes' },
  minimumFreeMiB: { value: 1.4, source: 'Linux init_per_zone_wmark_min, lower end' },
} as const satisfies Record<string, PresetRow>

/**
 * Receive queues of ehea (ehea.h): buffers that each queue pair fills when the link goes up. A buffer is the
 * power-of-two slab class of its data plus `NET_SKB_PAD` 128 and `skb_shared_info` 112 bytes.
 */
export const eheaReceiveQueues = [
  { buffers: 1023, dataBytes: 256 },
  { buffers: 1023, dataBytes: 2048 },
  { buffers: 511, dataBytes: 9022 },
] as const

export const ehea = {
  skbPadBytes: { value: 128, source: 'NET_SKB_PAD on ppc64' },
  sharedInfoBytes: { value: 112, source: 'sizeof(struct skb_shared_info), rounded' },
  skbBytes: { value: 256, source: 'slab class of struct sk_buff' },
  queueMemoryMiB: { value: 0.9, source: 'assumed: queue pages and maps of one queue pair' },
  queuePairs: { value: 8, source: 'ehea use_mcs default; HMC multi-core scaling 8' },
} as const satisfies Record<string, PresetRow>
