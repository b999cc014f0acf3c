/** Pieces of text that the commands share. */
import { presets, type CaptureSystem, type ConsumerUse } from '@fadump-lab/shared/capture-memory'
import { sizeText } from './options.ts'

/** The system in a line. */
export function systemText(system: CaptureSystem): string {
  const { preset, mechanism, memoryMiB, bootMemoryMiB, nrCpus, pageKiB, target, card } = system
  const queues = system.multiqueue ? system.queues : 1
  const network = card === undefined ? '' : `, ${system.ports} × ${card} with ${queues} queues`
  return (
    `${sizeText(memoryMiB)} of memory, ${system.cpus} CPUs (${nrCpus} captured with), ${pageKiB}K pages, ` +
    `${mechanism}, ${sizeText(bootMemoryMiB)} of boot memory, target ${target}${network}; ${presets[preset].title}`
  )
}

/** `receive rings 112 MiB, …`. */
export function consumersText(consumers: readonly ConsumerUse[]): string {
  return consumers.map(({ consumer, MiB }) => `${consumer} ${MiB.toFixed(1)} MiB`).join(', ')
}
