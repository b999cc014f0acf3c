/**
 * Memory reservation for fadump: how much boot memory, how large the reserved dump area, where it goes
 * (`fadump_reserve_mem` of 3.4 and 6.10). Pure: memory map and boot arguments in, a plan out, with the lines that the
 * kernel logs.
 */
import { parseKernelArguments } from './kernel-arguments.ts'
import type { KernelProfile, KernelSource } from './kernel-profiles.ts'
import {
  withoutReservation,
  type PlannedInput,
  type ReservationInput,
  type ReservationPlan,
} from './reservation-plan.ts'
import { planAtLowestPlace } from './reserve-lowest.ts'
import { planAtTop } from './reserve-top.ts'

/** The plan of one boot, first or capture. */
export function planReservation(input: ReservationInput): ReservationPlan {
  const { profile, bootArguments, isSupported } = input
  const kernelArguments = parseKernelArguments(bootArguments, profile)
  if (!kernelArguments.isFadumpEnabled) return withoutReservation(kernelArguments, [])
  if (!isSupported) return withoutReservation(kernelArguments, [unsupported[profile.kernelSource]])
  return planners[profile.areaPlacement]({ ...input, kernelArguments })
}

const unsupported: Readonly<Record<KernelSource, string>> = {
  '3.4': 'Firmware-assisted dump is not supported on this hardware',
  '6.10': 'fadump: Firmware-Assisted Dump is not supported on this hardware',
}

const planners: Readonly<
  Record<KernelProfile['areaPlacement'], (input: PlannedInput) => ReservationPlan>
> = { top: planAtTop, lowest: planAtLowestPlace }
