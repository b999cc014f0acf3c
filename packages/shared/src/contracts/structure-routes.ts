/** The bytes of a dump's structures while they lie in a partition: on the hypervisor and, under /v1, on the console. */
import { z } from 'zod'
import { forOperators } from './access.ts'
import { partitionId } from './ids.ts'
import { bytes, type Routes } from './route.ts'

/** The most bytes of one structure that are handed out; what is longer is cut off there. */
export const structureBytesMax = 16 * 1024 * 1024

/**
 * `fdm`: the dump memory structure as firmware keeps it. `regsave`: what firmware wrote for the CPU state section.
 * `crash-info`: the header behind the copy of boot memory. `fdt`: the device tree of the present boot.
 */
export const partitionStructure = z.enum(['fdm', 'regsave', 'crash-info', 'fdt'])
export type PartitionStructure = z.output<typeof partitionStructure>

export const structureRoutes = {
  getStructure: {
    method: 'GET',
    access: forOperators,
    path: '/partitions/:partition/structures/:structure',
    summary:
      'The bytes of a structure of the dump: fdm, regsave, crash-info; or the device tree, fdt',
    params: z.strictObject({ partition: partitionId, structure: partitionStructure }),
    status: 200,
    reply: bytes(structureBytesMax),
    problems: ['not-found', 'wrong-state'],
  },
} as const satisfies Routes
