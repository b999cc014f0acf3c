/** Kernels with pages of 4 KiB: those of both profiles have 64 KiB, so these come from imported images. */
import { elfMedia, type KernelProfileName } from '@fadump-lab/shared/contracts'
import { aCore } from '../../services/hypervisor/src/testing/cores.ts'
import type { QuietRoom } from '../sequence/room.ts'

/** Linux on POWER was big-endian in 2011. */
const orders = { v5: 'big', modern: 'little' } as const

export function imageOfSmallPages(profile: KernelProfileName): string {
  return `pages-4k-${profile}`
}

/** Imports a core of each profile that holds next to nothing and has this many CPUs. */
export async function importSmallPages(room: QuietRoom, processors: number): Promise<void> {
  const cpus = Array.from({ length: processors }, (_, cpu) => [BigInt(cpu + 1)])
  for (const profile of ['v5', 'modern'] as const) {
    const vmcoreinfo = 'OSRELEASE=4k\nPAGESIZE=4096\nCRASHTIME=1700000000\n'
    await room.hypervisor.createImage({
      query: { id: imageOfSmallPages(profile), profile },
      headers: { 'content-type': elfMedia },
      body: aCore({ order: orders[profile], vmcoreinfo, cpus }),
    })
  }
}
