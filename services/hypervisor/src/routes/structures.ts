/** The structures of a dump as bytes, for people who want to look at them. */
import type { hypervisorRoutes } from '@fadump-lab/shared/contracts'
import type { Handlers } from '@fadump-lab/shared/http'
import { readStructure } from '../fadump/read-structure.ts'
import type { Rooms } from '../rooms.ts'

export function structureHandlers({
  partitions,
  context: { store },
}: Rooms): Pick<Handlers<typeof hypervisorRoutes>, 'getStructure'> {
  return {
    getStructure: async ({ params }) => {
      const held = await partitions.read(params.partition)
      return readStructure(store, held, params.structure)
    },
  }
}
