/** One kernel host as a composition would start it; several of them can share everything else. */
import { lparKernelRoutes } from '@fadump-lab/shared/contracts'
import { createClient, listen, type Client, type Fetch } from '@fadump-lab/shared/http'
import { asDeclared, type DumpClaim } from '@fadump-lab/shared/identity'
import type { EventLog, JobQueues } from '@fadump-lab/shared/queue'
import { seededRandom, type Clock } from '@fadump-lab/shared/runtime'
import type { MemoryStore } from '@fadump-lab/shared/store'
import { createLogger, createMetrics } from '@fadump-lab/shared/telemetry'
import { testKeys } from '../../../../test/support/keys.ts'
import type { CaptureProcess } from '../capture-process/port.ts'
import { buildLparKernel } from '../index.ts'

export interface HostParts {
  readonly store: MemoryStore
  readonly queues: JobQueues
  readonly events: EventLog
  readonly clock: Clock
  readonly hypervisorUrl: string
  readonly fetch?: Fetch
  readonly captureProcess?: CaptureProcess
  /** What the client's dump token is for. */
  readonly claim: () => DumpClaim
}

export interface StartedHost extends AsyncDisposable {
  readonly url: string
  readonly client: Client<typeof lparKernelRoutes>
}

export async function startHost({ claim, ...parts }: HostParts): Promise<StartedHost> {
  const service = buildLparKernel({
    ...parts,
    identity: testKeys.identityOf('lpar-kernel'),
    dumpKey: testKeys.dumpKey,
    random: seededRandom(1),
    logger: createLogger({ service: 'lpar-kernel', level: 'silent' }),
    metrics: createMetrics({ processMetrics: false }),
  })
  const url = await listen(service.app, { host: '127.0.0.1', port: 0 })
  await service.start(url)
  return {
    url,
    client: createClient(lparKernelRoutes, {
      baseUrl: url,
      authorize: asDeclared(testKeys, claim),
    }),
    [Symbol.asyncDispose]: async () => service[Symbol.asyncDispose](),
  }
}
