/** The hypervisor: PHYP and partition firmware. */
import { hypervisorRoutes } from '@fadump-lab/shared/contracts'
import { createApp, serveRoutes, type Service } from '@fadump-lab/shared/http'
import type { HypervisorDeps } from './deps.ts'
import { guarded, startingText } from './edge.ts'
import { createRooms } from './rooms.ts'
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
    logger: deps.logger,
    metrics: deps.metrics,
    newCorrelationId,
    ready: async () => {
      if (!life.isTakenUp) throw new Error(startingText)
      await deps.store.ping()
    },
  })
  const isTakenUp = () => life.isTakenUp
  serveRoutes(app, hypervisorRoutes, {
    ...guarded(inventoryHandlers(rooms), isTakenUp),
    ...guarded(operationHandlers(rooms), isTakenUp),
    ...guarded(firmwareHandlers(rooms), isTakenUp),
    ...guarded(structureHandlers(rooms), isTakenUp),
  })
  return {
    app,
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
