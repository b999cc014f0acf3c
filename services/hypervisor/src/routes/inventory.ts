/** Frames, partitions and images as resources. */
import type { hypervisorRoutes, Image } from '@fadump-lab/shared/contracts'
import type { Handlers, Input } from '@fadump-lab/shared/http'
import { expand, requireEncoding } from '../images/expand.ts'
import { isFlattenedMedia } from '../images/import-core.ts'
import { platformHandlers, type PlatformRoute } from './platform.ts'
import { changeBootSettings } from '../partition/boot-settings.ts'
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
  | 'changeBootSettings'
  | 'createImage'
  | 'listImages'
  | 'getImage'
  | 'deleteImage'
  | 'getImageNotes'

export function inventoryHandlers(
  rooms: Rooms,
): Pick<Handlers<typeof hypervisorRoutes>, InventoryRoute | PlatformRoute> {
  const { inventory, frames, images, partitions } = rooms
  return {
    ...platformHandlers(rooms),
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
    changeBootSettings: ({ params, body, correlationId }) =>
      changeBootSettings(partitions, params.partition, { settings: body, correlationId }),
    createImage: (input) => createImage(rooms, input),
    listImages: () => images.list(),
    getImage: ({ params }) => images.get(params.image),
    getImageNotes: ({ params }) => images.notes(params.image),
    deleteImage: async ({ params, correlationId }) => {
      await inventory.deleteImage(params.image, correlationId)
      return undefined
    },
  }
}

type CreateImage = (typeof hypervisorRoutes)['createImage']

async function createImage(
  { inventory, context }: Rooms,
  { query, body, header, correlationId }: Input<CreateImage>,
): Promise<Image> {
  const encoding = header('content-encoding')
  requireEncoding(encoding)
  return inventory.createImage(
    {
      ...query,
      isFlattened: isFlattenedMedia(header('content-type')),
      body: expand(body, { encoding, bytesMax: context.config.imageBytesMax }),
    },
    correlationId,
  )
}
