/** Frames, partitions with their structures, images: the console passes on what the hypervisor says. */
import {
  bootSettings,
  newFrame,
  newPartition,
  type hmcRoutes,
  type hypervisorRoutes,
} from '@fadump-lab/shared/contracts'
import type { Handlers } from '@fadump-lab/shared/http'
import { z } from 'zod'
import type { HmcApiDeps } from '../deps.ts'

type InventoryNames = Extract<keyof typeof hmcRoutes, keyof typeof hypervisorRoutes>

export function inventoryHandlers({
  hypervisor,
}: HmcApiDeps): Pick<Handlers<typeof hmcRoutes>, InventoryNames> {
  return {
    createFrame: ({ body, correlationId }) =>
      hypervisor.createFrame({ body: z.encode(newFrame, body), correlationId }),
    listFrames: ({ correlationId }) => hypervisor.listFrames({ correlationId }),
    getFrame: ({ params, correlationId }) => hypervisor.getFrame({ params, correlationId }),
    deleteFrame: ({ params, correlationId }) => hypervisor.deleteFrame({ params, correlationId }),
    createPartition: ({ body, correlationId }) =>
      hypervisor.createPartition({ body: z.encode(newPartition, body), correlationId }),
    listPartitions: ({ correlationId }) => hypervisor.listPartitions({ correlationId }),
    getPartition: ({ params, correlationId }) => hypervisor.getPartition({ params, correlationId }),
    deletePartition: ({ params, correlationId }) =>
      hypervisor.deletePartition({ params, correlationId }),
    changeBootSettings: ({ params, body, correlationId }) =>
      hypervisor.changeBootSettings({
        params,
        body: z.encode(bootSettings, body),
        correlationId,
      }),
    getStructure: ({ params, correlationId }) => hypervisor.getStructure({ params, correlationId }),
    killPartition: ({ params, correlationId }) =>
      hypervisor.killPartition({ params, correlationId }),
    migratePartition: ({ params, correlationId }) =>
      hypervisor.migratePartition({ params, correlationId }),
    createImage: ({ query, body, correlationId, header, signal }) =>
      hypervisor.createImage({
        query,
        body,
        correlationId,
        signal,
        headers: passOn(header, ['content-type', 'content-encoding']),
      }),
    listImages: ({ correlationId }) => hypervisor.listImages({ correlationId }),
    getImage: ({ params, correlationId }) => hypervisor.getImage({ params, correlationId }),
    deleteImage: ({ params, correlationId }) => hypervisor.deleteImage({ params, correlationId }),
  }
}

/** The named request headers that are there. */
export function passOn(
  header: (name: string) => string | undefined,
  names: readonly string[],
): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = header(name)
      return value === undefined ? [] : [[name, value]]
    }),
  )
}
