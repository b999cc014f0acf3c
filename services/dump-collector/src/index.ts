/** The dump collector: the remote dump server that pulls vmcores of capture kernels and keeps them. */
import {
  captureJobId,
  captureQueue,
  collectorRoutes,
  faultRoutes,
  vitalsRoutes,
} from '@fadump-lab/shared/contracts'
import { faultHandlers } from '@fadump-lab/shared/faults'
import { createApp, serveRoutes, vitalsHandlers, type Service } from '@fadump-lab/shared/http'
import { createGuard } from '@fadump-lab/shared/identity'
import { Admission } from './admission/admission.ts'
import type { ClaimTools } from './collect/claim.ts'
import { defaultSettings, type DumpCollectorDeps } from './deps.ts'
import { Housekeeper } from './housekeeper.ts'
import type { EvictionTools } from './retention/evict.ts'
import { dumpHandlers } from './routes.ts'
import { Scrubber } from './scrub/scrubber.ts'
import { DumpIndex } from './store/dump-index.ts'
import { nodeFiles } from './store/files.ts'
import { reconcile } from './store/reconcile.ts'
import { CaptureWorker } from './worker.ts'

export { defaultSettings, type CollectorSettings, type DumpCollectorDeps } from './deps.ts'
export type { DirectoryEntry, Files, OpenFile, OpenMode } from './store/files.ts'

export { withCollectorFaults } from './faults/with-collector-faults.ts'

export function buildDumpCollector(deps: DumpCollectorDeps): Service {
  const { root, files = nodeFiles, settings = defaultSettings } = deps
  const { logger, metrics, random } = deps
  const index = new DumpIndex(root, files)
  const tools = storeTools(deps, index)
  const admission = new Admission(tools, settings)
  const scrubber = new Scrubber({ ...tools, settings })
  const worker = new CaptureWorker(claimTools(deps, admission), index)
  const app = createApp({
    guard: createGuard(deps),
    logger,
    metrics,
    newCorrelationId: () => random.hex(8),
    ready: () => files.syncDirectory(root),
  })
  const inProcess = serveRoutes(
    app,
    { ...collectorRoutes, ...faultRoutes, ...vitalsRoutes },
    {
      ...dumpHandlers({ ...tools, scrubber }),
      ...faultHandlers(deps.faults),
      ...vitalsHandlers(() => heldBy(deps, index)),
    },
  )
  const started = new AsyncDisposableStack()
  started.defer(() => app.close())
  started.use(worker)
  started.use(scrubber)
  return {
    app,
    inProcess,
    start: async () => {
      const queue = deps.queues.open(captureQueue)
      for (const job of await reconcile(tools)) {
        await queue.add(captureJobId(job), job)
      }
      started.use(
        await queue.work((job) => worker.run(job), {
          concurrency: settings.concurrency,
          onFailed: ({ payload }, cause) => worker.givenUp(payload, cause),
        }),
      )
      started.use(new Housekeeper({ ...tools, settings, admission, scrubber, queue }))
    },
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  }
}

function storeTools(deps: DumpCollectorDeps, index: DumpIndex): EvictionTools {
  const { root, events, clock, logger, metrics } = deps
  return { root, files: deps.files ?? nodeFiles, index, events, clock, logger, metrics }
}

function claimTools(deps: DumpCollectorDeps, admission: Admission): ClaimTools {
  const { root, events, clock, logger, metrics, random, fetch } = deps
  return {
    root,
    files: deps.files ?? nodeFiles,
    events,
    clock,
    logger,
    metrics,
    settings: deps.settings ?? defaultSettings,
    secret: deps.identity.secret,
    dumpKey: deps.dumpKey,
    admission,
    newOwner: () => random.hex(16),
    ...(fetch === undefined ? {} : { fetch }),
  }
}

/** What is given back when captures have ended and dumps are deleted. */
async function heldBy(deps: DumpCollectorDeps, index: DumpIndex): Promise<Record<string, number>> {
  const { waiting, active, delayed } = await deps.queues.open(captureQueue).counts()
  const { root, files = nodeFiles } = deps
  return {
    dumps: (await index.list()).length,
    'directories of partitions': (await files.list(root)).length,
    'capture jobs': waiting + active + delayed,
  }
}
