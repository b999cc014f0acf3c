/** The hypervisor: PHYP and partition firmware. */
import { faultRoutes, hypervisorRoutes, iplQueue, vitalsRoutes } from '@fadump-lab/shared/contracts'
import { faultHandlers } from '@fadump-lab/shared/faults'
import { createApp, serveRoutes, vitalsHandlers, type Service } from '@fadump-lab/shared/http'
import { createGuard } from '@fadump-lab/shared/identity'
import type { HypervisorDeps } from './deps.ts'
import { guarded, startingText } from './edge.ts'
import { createRooms, type Rooms } from './rooms.ts'
import { firmwareHandlers } from './routes/firmware.ts'
import { inventoryHandlers } from './routes/inventory.ts'
import { operationHandlers } from './routes/operations.ts'
import { structureHandlers } from './routes/structures.ts'

export { configSchema, defaultSettings, settingsOf, type HypervisorConfig } from './config.ts'
export type { HypervisorDeps, HypervisorSettings } from './deps.ts'

const correlationIdBytes = 8

/** Not listening and not working yet: see `Service`. */
export function buildHypervisor(deps: HypervisorDeps): Service {
  const newCorrelationId = () => deps.random.hex(correlationIdBytes)
  const rooms = createRooms(deps)
  const life = { isTakenUp: false }
  const app = createApp({
    guard: createGuard(deps),
    logger: deps.logger,
    metrics: deps.metrics,
    newCorrelationId,
    ready: async () => {
      if (!life.isTakenUp) throw new Error(startingText)
      await deps.store.ping()
      await rooms.powerFailures.look()
    },
  })
  const isTakenUp = () => life.isTakenUp
  const inProcess = serveRoutes(
    app,
    { ...hypervisorRoutes, ...faultRoutes, ...vitalsRoutes },
    {
      ...faultHandlers(deps.faults),
      ...vitalsHandlers(() => heldBy(deps, rooms)),
      ...guarded(inventoryHandlers(rooms), isTakenUp),
      ...guarded(operationHandlers(rooms), isTakenUp),
      ...guarded(firmwareHandlers(rooms), isTakenUp),
      ...guarded(structureHandlers(rooms), isTakenUp),
    },
  )
  return {
    app,
    inProcess,
    async start() {
      await rooms.inventory.load(newCorrelationId())
      life.isTakenUp = true
      for (const { id } of rooms.partitions.entries) {
        rooms.owedWork.lookAfter(id)
        rooms.automaticDumps.watch(id)
      }
    },
    async [Symbol.asyncDispose]() {
      await app.close()
      await rooms.background[Symbol.asyncDispose]()
    },
  }
}

/** What is given back when partitions are deleted. */
async function heldBy(deps: HypervisorDeps, rooms: Rooms): Promise<Record<string, number>> {
  const frames = [...rooms.frames.ids]
  const usages = await Promise.all(frames.map((frame) => deps.store.usage(frame)))
  const { waiting, active, delayed } = await deps.queues.open(iplQueue).counts()
  return {
    frames: frames.length,
    partitions: rooms.partitions.entries.length,
    'memory pages': usages.reduce((sum, { pages }) => sum + pages, 0),
    'memory spaces': usages.reduce((sum, { spaces }) => sum + spaces, 0),
    'ipl jobs': waiting + active + delayed,
  }
}
