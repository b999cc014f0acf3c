/**
 * The Linux kernels of partitions: first kernel and capture kernel. One process hosts any number of partitions, and
 * any process can host any partition: what a kernel knows lies in its memory and in one record beside it.
 */
import { lparKernelRoutes } from '@fadump-lab/shared/contracts'
import { createApp, serveRoutes, type Service } from '@fadump-lab/shared/http'
import { Background } from './background.ts'
import { IplWorker } from './boot/ipl-worker.ts'
import type { LparKernelDeps } from './deps.ts'
import { KernelHost } from './kernel/kernel-host.ts'
import { kernelHandlers } from './routes.ts'

export { configSchema, defaultSettings, settingsOf, type LparKernelConfig } from './config.ts'
export type { LparKernelDeps, LparKernelSettings } from './deps.ts'

export function buildLparKernel(deps: LparKernelDeps): Service {
  const host = new KernelHost(deps)
  const background = new Background(deps.logger)
  let worker: IplWorker | undefined
  const app = createApp({
    logger: deps.logger,
    metrics: deps.metrics,
    newCorrelationId: () => deps.random.hex(8),
    ready: () => deps.store.ping(),
  })
  serveRoutes(app, lparKernelRoutes, kernelHandlers(host, background))
  return {
    app,
    start: async (baseUrl) => {
      worker = new IplWorker({ host, background, baseUrl: baseUrl.replace(/\/+$/, '') })
      await worker.start()
    },
    [Symbol.asyncDispose]: async () => {
      host.stop()
      await worker?.[Symbol.asyncDispose]()
      await background[Symbol.asyncDispose]()
      await app.close()
    },
  }
}
