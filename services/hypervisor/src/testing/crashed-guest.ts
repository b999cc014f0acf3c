/** A guest whose memory has been preserved: what tests of dumps start from. */
import { decodeDeviceTree, findNode } from '@fadump-lab/shared/fdt'
import { eventually } from '../../../../test/support/eventually.ts'
import { aStartedGuest, type Guest } from './guest.ts'
import type { StartedHypervisor } from './started-hypervisor.ts'

export const structureAt = 0x10000

/** Registers `structure`, dies by `ibm,os-term` and waits for the capture boot. */
export async function aCrashedGuest(
  host: StartedHypervisor,
  structure: string,
  options: {
    readonly partition?: Readonly<Record<string, unknown>>
    /** What the kernel does before it dies. */
    readonly before?: (guest: Guest) => Promise<void>
  } = {},
): Promise<Guest> {
  const guest = await aStartedGuest(host, options.partition)
  await options.before?.(guest)
  const status = await guest.register(structureAt, structure)
  if (status !== 0) throw new Error(`registration answered ${status}`)
  await guest.osTerm()
  await preserved(guest)
  return guest
}

export async function preserved(guest: Guest): Promise<void> {
  await eventually(
    'the capture boot begins',
    async () => (await guest.partition()).state === 'capture-starting',
  )
}

/** `/rtas/ibm,kernel-dump` of the present boot. */
export async function kernelDump(
  host: StartedHypervisor,
  guest: Guest,
): Promise<Uint8Array | undefined> {
  const blob = await host.client.getDeviceTree({ params: { partition: guest.id } })
  return findNode(decodeDeviceTree(blob).root, '/rtas')?.properties.get('ibm,kernel-dump')
}
