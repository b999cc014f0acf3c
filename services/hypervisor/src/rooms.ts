/** The rooms of the hypervisor, put together once per service instance. */
import { Background } from './background.ts'
import { createOwedWork, type OwedWork } from './boot/owed-work.ts'
import { defaultSettings } from './config.ts'
import type { HypervisorContext, HypervisorDeps } from './deps.ts'
import { preserve } from './fadump/preserve.ts'
import { Frames } from './frame/frames.ts'
import { Images } from './images/images.ts'
import { awaitAutomaticDump } from './partition/automatic-dump.ts'
import { Inventory } from './partition/inventory.ts'
import { Partitions } from './partition/partitions.ts'

export interface Rooms {
  readonly context: HypervisorContext
  readonly background: Background
  readonly frames: Frames
  readonly images: Images
  readonly partitions: Partitions
  readonly inventory: Inventory
  readonly owedWork: OwedWork
  /** Waits in the background for dumps by time. */
  readonly automaticDumps: { readonly watch: (id: string) => void }
}

export function createRooms(deps: HypervisorDeps): Rooms {
  const context = { ...deps, config: deps.config ?? defaultSettings }
  const background = new Background(deps.logger)
  const partitions: Partitions = new Partitions(context, (id) => owedWork.lookAfter(id))
  const owedWork = createOwedWork({
    deps: context,
    background,
    partitions,
    preserve: (id) => preserve({ deps: context, partitions }, id),
  })
  const frames: Frames = new Frames(context, {
    partitions: (frame) => partitions.entries.filter((entry) => entry.frame === frame),
    images: (frame) => images.idsOf(frame),
  })
  const images = new Images(context, {
    frameMemory: (frame) => frames.get(frame).memoryBytes,
    users: (image) =>
      partitions.entries.flatMap((entry) => (entry.image === image ? [entry.id] : [])),
  })
  const inventory = new Inventory(context, { frames, partitions, images })
  const automaticDumps = {
    watch: (id: string) =>
      background.start(`${id} automatic dump`, (signal) =>
        awaitAutomaticDump({ deps: context, partitions }, id, signal),
      ),
  }
  return { context, background, frames, images, partitions, inventory, owedWork, automaticDumps }
}
