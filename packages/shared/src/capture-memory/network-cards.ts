/**
 * Network cards: what a driver takes when a port is brought up. Buffers are filled when the link goes up, for every queue
 * of every port that is brought up, whether the dump goes through it or not.
 */
import type { Numbers } from './presets/preset.ts'

export interface CardUse {
  readonly ports: number
  readonly queues: number
  readonly pageKiB: number
}

export interface NetworkCard {
  readonly title: string
  /** Queues (queue pairs) of one port that the driver can use. */
  readonly queuesMax: number
  /** Queues of one port when nobody says, with `cpus` brought up. */
  readonly queuesDefault: (cpus: number) => number
  /** The exact setting that leaves one queue a port; absent where there is no such setting. */
  readonly oneQueueSetting?: string
  /** Text and data of the driver, MiB. */
  readonly moduleMiB: (numbers: Numbers) => number
  /** What all ports together fill when the link goes up, MiB. */
  readonly ringsMiB: (use: CardUse, numbers: Numbers) => number
  /** Largest piece that is allocated in one go, KiB: decides the order, and so OOM kill or allocation failure. */
  readonly chunkKiB: (numbers: Numbers) => number
  readonly source: string
  /** Whether the amount rests on an assumption. */
  readonly assumed: boolean
}

/** Bytes in a MiB and in a KiB. */
const MiB = 2 ** 20
const KiB = 2 ** 10

/** ehea.h: buffers of the three receive queues of a queue pair, and the bytes of data in each. */
const eheaReceiveQueues = [
  { buffers: 1023, dataBytes: 256 },
  { buffers: 1023, dataBytes: 2048 },
  { buffers: 511, dataBytes: 9022 },
] as const
/** NET_SKB_PAD and skb_shared_info on ppc64, and the slab class of struct sk_buff. */
const [skbPadBytes, sharedInfoBytes, skbBytes] = [128, 112, 256] as const
/** Queue pages and maps of one ehea queue pair: assumed. */
const eheaQueuePagesMiB = 0.9

/** The kmalloc class that holds `bytes`: the next power of two. */
const slabClass = (bytes: number): number => 2 ** Math.ceil(Math.log2(bytes))

const eheaQueuePairMiB =
  eheaQueuePagesMiB +
  eheaReceiveQueues.reduce(
    (sum, { buffers, dataBytes }) =>
      sum + buffers * (slabClass(dataBytes + skbPadBytes + sharedInfoBytes) + skbBytes),
    0,
  ) /
    MiB

/** ibmveth.h IBMVETH_IO_ENTITLEMENT_DEFAULT: the pools that an MTU of 1500 needs. */
const vethEntitlementBytes = 4_243_456
/** kmalloc class of a 64 KiB buffer with its overhead. */
const vethLargeBufferKiB = 128

/** ibmvnic.h: TSO pool of a transmit queue; 512 entries of 2 KiB to send and to receive, with their sk_buffs. */
const vnicQueueMiB = (64 * 65_536 + 512 * 2048 * 2 + 512 * (4096 + 256)) / MiB
/** Long term buffers are allocated in pieces of up to 8 MiB. */
const vnicChunkKiB = 8192

/** i40e.h I40E_DEFAULT_NUM_DESCRIPTORS; a receive buffer takes a page of its own. */
const i40eDescriptors = 512

/** Modules and rings of mlx5, MiB a port. */
const mlx5PortMiB = { 4: 150, 64: 200 } as const

export const networkCards = {
  ehea: {
    title: 'Host Ethernet Adapter of POWER6 and POWER7',
    queuesMax: 16,
    queuesDefault: () => 8,
    oneQueueSetting: 'ehea.use_mcs=0',
    moduleMiB: (numbers) => numbers.networkModule,
    ringsMiB: ({ ports, queues }) => ports * queues * eheaQueuePairMiB,
    chunkKiB: () => 16,
    source: 'ehea.h and kmalloc classes; 8 queue pairs: HMC multi-core scaling',
    assumed: true,
  },
  ibmveth: {
    title: 'virtual Ethernet of a Power partition',
    queuesMax: 1,
    queuesDefault: () => 1,
    moduleMiB: (numbers) => numbers.networkModule,
    ringsMiB: ({ ports }, numbers) =>
      ports * ((numbers.vethLargeBuffers * vethLargeBufferKiB * KiB + vethEntitlementBytes) / MiB),
    chunkKiB: (numbers) => (numbers.vethLargeBuffers === 0 ? 4 : vethLargeBufferKiB),
    source: 'ibmveth.h: IO entitlement, and since the pool of 64 KiB is active 256 buffers of it',
    assumed: false,
  },
  ibmvnic: {
    title: 'virtual NIC of a Power partition',
    queuesMax: 16,
    queuesDefault: (cpus) => Math.min(8, cpus),
    oneQueueSetting: 'ethtool -L DEVICE rx 1 tx 1',
    moduleMiB: (numbers) => numbers.networkModule,
    ringsMiB: ({ ports, queues }) => ports * queues * vnicQueueMiB,
    chunkKiB: () => vnicChunkKiB,
    source: 'ibmvnic.h: 64 TSO buffers of 64 KiB, 512 entries a ring',
    assumed: true,
  },
  mlx5: {
    title: 'Mellanox ConnectX-4 and later',
    queuesMax: 128,
    queuesDefault: (cpus) => Math.min(128, cpus),
    moduleMiB: () => 8,
    ringsMiB: ({ ports, pageKiB }) => ports * (pageKiB === 64 ? mlx5PortMiB[64] : mlx5PortMiB[4]),
    chunkKiB: () => 16,
    source: 'kdump-utils 7a2c4cb: 150 MB with 4 KiB pages, 200 MB with 64 KiB',
    assumed: false,
  },
  i40e: {
    title: 'Intel X710 and XL710',
    queuesMax: 128,
    queuesDefault: (cpus) => Math.min(128, cpus),
    oneQueueSetting: 'ethtool -L DEVICE combined 1',
    moduleMiB: (numbers) => numbers.networkModule,
    ringsMiB: ({ ports, queues, pageKiB }) =>
      (ports * queues * i40eDescriptors * pageKiB * KiB) / MiB,
    chunkKiB: () => 16,
    source: 'i40e.h: 512 descriptors a queue, one queue a CPU, one page a buffer',
    assumed: false,
  },
  virtio: {
    title: 'virtio network of a virtual machine, for comparison',
    queuesMax: 16,
    queuesDefault: () => 1,
    moduleMiB: (numbers) => numbers.networkModule,
    ringsMiB: ({ ports, queues }) => ports * queues,
    chunkKiB: () => 4,
    source: '256 buffers of 4 KiB a queue',
    assumed: true,
  },
} as const satisfies Readonly<Record<string, NetworkCard>>

export type NetworkCardKind = keyof typeof networkCards

export const networkCardKinds = Object.keys(networkCards) as readonly NetworkCardKind[]

/** The card of a row, in the type that all rows share. */
export function networkCard(kind: NetworkCardKind): NetworkCard {
  return networkCards[kind]
}
