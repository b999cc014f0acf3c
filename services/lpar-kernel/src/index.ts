/**
 * The Linux kernels of partitions: first kernel and capture kernel. One process hosts any number of partitions, and
 * any process can host any partition: what a kernel knows lies in its memory and in one record beside it.
 */
import { faultRoutes, lparKernelRoutes, vitalsRoutes } from '@fadump-lab/shared/contracts'
import { faultHandlers } from '@fadump-lab/shared/faults'
import {
  createApp,
  refusing,
  serveRoutes,
  vitalsHandlers,
  type Service,
} from '@fadump-lab/shared/http'
import { createGuard, type DumpClaim } from '@fadump-lab/shared/identity'
import { Background } from './background.ts'
import { IplWorker } from './boot/ipl-worker.ts'
import type { LparKernelDeps } from './deps.ts'
import { KernelHost } from './kernel/kernel-host.ts'
import { SystemResets } from './panic/system-resets.ts'
import { kernelHandlers, presents } from './routes.ts'

export { configSchema, defaultSettings, settingsOf, type LparKernelConfig } from './config.ts'
export type { LparKernelDeps, LparKernelSettings } from './deps.ts'

export function buildLparKernel(deps: LparKernelDeps): Service {
  const host = new KernelHost(deps)
  const background = new Background(deps.logger)
  const systemResets = new SystemResets(host, background)
  let worker: IplWorker | undefined
  const app = createApp({
    guard: createGuard({
      ...deps,
      dumps: {
        key: deps.dumpKey,
        ...refusing({
          mayAsk: (partition: string, claim: DumpClaim) => presents(host, partition, claim),
        }),
      },
    }),
    logger: deps.logger,
    metrics: deps.metrics,
    newCorrelationId: () => deps.random.hex(8),
    ready: () => deps.store.ping(),
  })
  const inProcess = serveRoutes(
    app,
    { ...lparKernelRoutes, ...faultRoutes, ...vitalsRoutes },
    {
      ...kernelHandlers(host, systemResets),
      ...faultHandlers(deps.faults),
      // All that kernels know lies in the memory of their partitions.
      ...vitalsHandlers(async () => ({
        'system resets under way': await systemResets.unfinished(),
      })),
    },
  )
  return {
    app,
    inProcess,
    start: async (baseUrl) => {
      worker = new IplWorker({ host, background, baseUrl: baseUrl.replace(/\/+$/, '') })
      await worker.start()
      await systemResets.start()
    },
    [Symbol.asyncDispose]: async () => {
      host.stop()
      await worker?.[Symbol.asyncDispose]()
      await systemResets[Symbol.asyncDispose]()
      await background[Symbol.asyncDispose]()
      await app.close()
    },
  }
}
