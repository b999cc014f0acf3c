/** The dump collector: the remote dump server that pulls vmcores of capture kernels and keeps them. */
import { captureJobId, captureQueue, collectorRoutes } from '@fadump-lab/shared/contracts'
import { createApp, serveRoutes, type Service } from '@fadump-lab/shared/http'
import type { ClaimTools } from './collect/claim.ts'
import { defaultSettings, type DumpCollectorDeps } from './deps.ts'
import { dumpHandlers } from './routes.ts'
import { DumpIndex } from './store/dump-index.ts'
import { nodeFiles } from './store/files.ts'
import { reconcile } from './store/reconcile.ts'
import { CaptureWorker } from './worker.ts'

export { defaultSettings, type CollectorSettings, type DumpCollectorDeps } from './deps.ts'

export function buildDumpCollector(deps: DumpCollectorDeps): Service {
  const { root, files = nodeFiles, settings = defaultSettings } = deps
  const { logger, metrics, random } = deps
  const index = new DumpIndex(root, files)
  const worker = new CaptureWorker(claimTools(deps), index)
  const app = createApp({
    logger,
    metrics,
    newCorrelationId: () => random.hex(8),
    ready: () => files.syncDirectory(root),
  })
  serveRoutes(app, collectorRoutes, dumpHandlers({ root, files, index }))
  const started = new AsyncDisposableStack()
  started.defer(() => app.close())
  started.use(worker)
  return {
    app,
    start: async () => {
      const queue = deps.queues.open(captureQueue)
      for (const job of await reconcile({ root, files, logger })) {
        await queue.add(captureJobId(job), job)
      }
      started.use(
        await queue.work((job) => worker.run(job), {
          concurrency: settings.concurrency,
          onFailed: ({ payload }, cause) => worker.givenUp(payload, cause),
        }),
      )
    },
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  }
}

function claimTools(deps: DumpCollectorDeps): ClaimTools {
  const { root, events, clock, logger, metrics, random, fetch } = deps
  return {
    root,
    files: deps.files ?? nodeFiles,
    events,
    clock,
    logger,
    metrics,
    settings: deps.settings ?? defaultSettings,
    newOwner: () => random.hex(16),
    ...(fetch === undefined ? {} : { fetch }),
  }
}
