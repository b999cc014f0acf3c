/** Frames, partitions and images as resources. */
import type { hypervisorRoutes } from '@fadump-lab/shared/contracts'
import type { Handlers } from '@fadump-lab/shared/http'
import { expand, requireEncoding } from '../images/expand.ts'
import { isFlattenedMedia } from '../images/import-core.ts'
import type { Rooms } from '../rooms.ts'

type InventoryRoute =
  | 'createFrame'
  | 'listFrames'
  | 'getFrame'
  | 'deleteFrame'
  | 'createPartition'
  | 'listPartitions'
  | 'getPartition'
  | 'deletePartition'
  | 'createImage'
  | 'listImages'
  | 'getImage'
  | 'deleteImage'
  | 'getImageNotes'

export function inventoryHandlers(
  rooms: Rooms,
): Pick<Handlers<typeof hypervisorRoutes>, InventoryRoute> {
  const { inventory, frames, images, partitions, context } = rooms
  return {
    createFrame: ({ body, correlationId }) => inventory.createFrame(body, correlationId),
    listFrames: async () => [...frames.list()],
    getFrame: async ({ params }) => frames.get(params.frame),
    deleteFrame: async ({ params, correlationId }) => {
      await inventory.deleteFrame(params.frame, correlationId)
      return undefined
    },
    createPartition: ({ body, correlationId }) => inventory.createPartition(body, correlationId),
    listPartitions: () => inventory.listPartitions(),
    getPartition: ({ params }) => partitions.get(params.partition),
    deletePartition: async ({ params, correlationId }) => {
      await inventory.deletePartition(params.partition, correlationId)
      return undefined
    },
    createImage: async ({ query, body, header, correlationId }) => {
      const encoding = header('content-encoding')
      requireEncoding(encoding)
      return inventory.createImage(
        {
          id: query.id,
          frame: query.frame,
          profile: query.profile,
          isFlattened: isFlattenedMedia(header('content-type')),
          body: expand(body, { encoding, bytesMax: context.config.imageBytesMax }),
        },
        correlationId,
      )
    },
    listImages: () => images.list(),
    getImage: ({ params }) => images.get(params.image),
    getImageNotes: ({ params }) => images.notes(params.image),
    deleteImage: async ({ params, correlationId }) => {
      await inventory.deleteImage(params.image, correlationId)
      return undefined
    },
  }
}
