/** The least boot memory that lets a system's dump through, by search on the same evaluation. */
import { fits } from './evaluate.ts'
import { presets } from './presets/presets.ts'
import type { CaptureSystem } from './capture-system.ts'

/**
 * The least boot memory in whole MiB with which the dump gets through, or undefined when no part of memory is enough.
 * What fits keeps fitting when there is more: halving the interval finds it.
 */
export function minimumBootMemoryMiB(system: CaptureSystem): number | undefined {
  const most = Math.ceil(Math.min(system.memoryMiB, memLimit(system))) - 1
  const isEnough = (bootMemoryMiB: number): boolean => fits({ ...system, bootMemoryMiB })
  let high = Math.min(64, most)
  while (!isEnough(high)) {
    if (high >= most) return undefined
    high = Math.min(most, high * 2)
  }
  let low = 0
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (isEnough(middle)) high = middle
    else low = middle
  }
  return high
}

/** The most boot memory that the kernel of `system` takes: a quarter of memory under fadump today. */
export function maximumBootMemoryMiB(system: CaptureSystem): number {
  const { bootMemoryShareMax } = presets[system.preset]
  const share = system.mechanism === 'fadump' ? bootMemoryShareMax : 1
  return Math.min(Math.ceil(memLimit(system)) - 1, Math.floor(system.memoryMiB * share))
}

function memLimit({ memLimitMiB, memoryMiB }: CaptureSystem): number {
  return Math.min(memLimitMiB, memoryMiB)
}

/** What is recommended keeps this share of itself free, and is a multiple of this step. */
export const recommendedSpareShare = 0.2
export const recommendedStepMiB = 64
/** Linux refuses less under fadump: RTAS_FADUMP_MIN_BOOT_MEM. */
export const fadumpFloorMiB = 320

/** Boot memory with room for what the model does not see: the minimum and a fifth of the result, in steps of 64 MiB. */
export function recommendedBootMemoryMiB(system: CaptureSystem): number | undefined {
  const minimum = minimumBootMemoryMiB(system)
  if (minimum === undefined) return undefined
  const spacious = minimum / (1 - recommendedSpareShare)
  const stepped = Math.ceil(spacious / recommendedStepMiB) * recommendedStepMiB
  const floor = system.mechanism === 'fadump' ? fadumpFloorMiB : 0
  return Math.max(floor, stepped)
}
