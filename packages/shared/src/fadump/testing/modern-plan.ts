/** The reservation of a modern kernel, for tests. */
import { truthBytes } from '../../../../../test/fixtures/truth/index.ts'
import { decodeDeviceTree, findNode } from '../../fdt/index.ts'
import { byteLength, memoryRange } from '../../units/index.ts'
import {
  kernelProfiles,
  planReservation,
  type ReservationInput,
  type ReservationPlan,
} from '../index.ts'

const { modern } = kernelProfiles

/** A partition of `memory` bytes with the CPU state size of QEMU for 4 CPUs. */
export function modernPlan(
  memory: bigint,
  overrides: Partial<ReservationInput> = {},
): ReservationPlan {
  return planReservation({
    profile: modern,
    memoryRegions: [memoryRange(0n, memory)],
    rmaSize: byteLength(memory),
    bootArguments: 'fadump=on',
    isSupported: true,
    cpuStateSize: byteLength(0x13e0),
    hpteSize: byteLength(0),
    ...overrides,
  })
}

/** Of the recorded partition, in its first boot and with its dump. */
export function rtasOf(file: 'first.dtb' | 'second.dtb'): ReadonlyMap<string, Uint8Array> {
  return findNode(decodeDeviceTree(truthBytes(file)).root, '/rtas')?.properties ?? new Map()
}
