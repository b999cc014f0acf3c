/** The reservation of one boot, from what its device tree says. */
import { planReservation, type ReservationPlan } from '@fadump-lab/shared/fadump'
import type { BootContext } from './boot-context.ts'

export function reserveMemory({ facts, profile }: BootContext): ReservationPlan {
  const { firmwareDump } = facts
  return planReservation({
    profile,
    memoryRegions: facts.memoryRegions,
    occupiedRanges: facts.occupiedRanges,
    rmaSize: facts.rmaSize,
    bootArguments: facts.bootArguments,
    isSupported: firmwareDump.isSupported,
    cpuStateSize: firmwareDump.cpuStateSize,
    hpteSize: firmwareDump.hpteSize,
    ...(firmwareDump.dump === undefined ? {} : { dumpActive: firmwareDump.dump }),
  })
}
