/** The rooms of the hypervisor, put together once per service instance. */
import { Background } from './background.ts'
import { createOwedWork, type OwedWork } from './boot/owed-work.ts'
import { defaultSettings } from './config.ts'
import type { HypervisorContext, HypervisorDeps } from './deps.ts'
import { preserve } from './fadump/preserve.ts'
import { Frames } from './frame/frames.ts'
import { PowerFailures } from './frame/power-failure.ts'
import { Images } from './images/images.ts'
import { awaitAutomaticDump, dumpClocks } from './partition/automatic-dump.ts'
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
  readonly powerFailures: PowerFailures
  /** Waits in the background for dumps by time. */
  readonly automaticDumps: { readonly watch: (id: string) => void }
}

export function createRooms(deps: HypervisorDeps): Rooms {
  const context = { ...deps, config: deps.config ?? defaultSettings }
  const background = new Background(deps.logger)
  const partitions: Partitions = new Partitions(
    context,
    (id) => owedWork.lookAfter(id),
    (frame) => powerFailures.recover(frame),
  )
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
  const powerFailures = new PowerFailures(context, {
    frames,
    partitions,
    images,
    makeSpace: (record) => inventory.makeSpaceAgain(record),
  })
  const automaticDumps = {
    watch: (id: string) => {
      for (const clock of dumpClocks) {
        background.start(`${id} ${clock}`, (signal) =>
          awaitAutomaticDump({ deps: context, partitions }, { id, clock }, signal),
        )
      }
    },
  }
  return {
    context,
    background,
    frames,
    images,
    partitions,
    inventory,
    owedWork,
    powerFailures,
    automaticDumps,
  }
}
