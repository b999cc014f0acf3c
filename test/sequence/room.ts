/** Hypervisor and kernel host as they are, on a heap store and in-process queues, talking without sockets. */
import { buildHypervisor } from '@fadump-lab/hypervisor'
import { buildLparKernel } from '@fadump-lab/lpar-kernel'
import {
  hypervisorRoutes,
  iplQueue,
  lparKernelRoutes,
  partitionSpace,
  systemResetQueue,
} from '@fadump-lab/shared/contracts'
import { createClient, createInProcessNetwork, type Client } from '@fadump-lab/shared/http'
import { asDeclared, type DumpClaim } from '@fadump-lab/shared/identity'
import { createHeapEventLog, createInProcessQueues } from '@fadump-lab/shared/queue'
import { isoTime, seededRandom, systemClock, type Clock } from '@fadump-lab/shared/runtime'
import { createHeapMemoryStore, type MemoryStore, type SpaceId } from '@fadump-lab/shared/store'
import { createLogger, createMetrics } from '@fadump-lab/shared/telemetry'
import { testKeys } from '../support/keys.ts'

export interface QuietRoom extends AsyncDisposable {
  readonly hypervisor: Client<typeof hypervisorRoutes>
  readonly kernel: Client<typeof lparKernelRoutes>
  /** The kernels for whoever collects one dump. */
  collecting(dump: DumpClaim): Client<typeof lparKernelRoutes>
  readonly store: MemoryStore
  spaceOf(partition: string): SpaceId
  /** Resolves when nothing is under way any more. */
  settle(): Promise<void>
}

/** Turns of the event loop without a request or a pause, after which nothing is under way. */
const quietTurns = 4

export async function openRoom(): Promise<QuietRoom> {
  await using stack = new AsyncDisposableStack()
  const network = createInProcessNetwork()
  const clock = new IdleClock(() => 2 * network.sent - network.pending)
  const store = stack.use(createHeapMemoryStore())
  const queues = stack.use(createInProcessQueues({ clock }))
  const events = stack.use(createHeapEventLog({ rowsMax: 64 }))
  const common = (service: 'hypervisor' | 'lpar-kernel') => ({
    identity: testKeys.identityOf(service),
    clock,
    store,
    queues,
    events,
    fetch: network.fetch,
    random: seededRandom(1),
    logger: createLogger({ service, level: 'silent' }),
    metrics: createMetrics({ processMetrics: false }),
  })
  const baseUrl = (host: string) => `http://${host}`
  const hypervisor = stack.use(buildHypervisor(common('hypervisor')))
  const kernel = stack.use(
    buildLparKernel({
      ...common('lpar-kernel'),
      dumpKey: testKeys.dumpKey,
      hypervisorUrl: baseUrl('hypervisor'),
    }),
  )
  network.attach('hypervisor', hypervisor)
  network.attach('kernel', kernel)
  await hypervisor.start(baseUrl('hypervisor'))
  await kernel.start(baseUrl('kernel'))
  const awaited = [queues.open(iplQueue), queues.open(systemResetQueue)]
  const caller = { fetch: network.fetch, authorize: asDeclared(testKeys) }
  const kept = stack.move()
  return {
    store,
    hypervisor: createClient(hypervisorRoutes, { ...caller, baseUrl: baseUrl('hypervisor') }),
    kernel: createClient(lparKernelRoutes, { ...caller, baseUrl: baseUrl('kernel') }),
    collecting: (dump) => {
      const authorize = asDeclared(testKeys, () => dump)
      return createClient(lparKernelRoutes, { ...caller, authorize, baseUrl: baseUrl('kernel') })
    },
    spaceOf: (partition) => partitionSpace('server-1', partition),
    settle: async () => {
      let last = ''
      for (let quiet = 0; quiet < quietTurns;) {
        await turn()
        const counts = await Promise.all(awaited.map((queue) => queue.counts()))
        const isWorking = counts.some(({ waiting, active }) => waiting + active > 0)
        const { begun, open } = clock.pauses
        const now = `${network.sent} ${begun}`
        const isQuiet = network.pending === 0 && !isWorking && open === 0 && now === last
        quiet = isQuiet ? quiet + 1 : 0
        last = now
      }
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

/** A time at which somebody goes on. */
interface Pause {
  readonly at: number
  readonly end: () => void
}

/**
 * A clock on which a pause ends as soon as nothing else goes on, the earliest first, and time has passed by it then.
 * Timers that only guard something keep the machine's time.
 */
class IdleClock implements Clock {
  readonly #activity: () => number
  readonly #pauses: Pause[] = []
  #passed = 0
  #begun = 0
  #isPumping = false

  constructor(activity: () => number) {
    this.#activity = activity
  }

  /** Pauses that have begun, and those of them that have not ended. */
  get pauses(): { readonly begun: number; readonly open: number } {
    return { begun: this.#begun, open: this.#pauses.length }
  }

  now(): number {
    return systemClock.now() + this.#passed
  }

  iso(): string {
    return isoTime(this.now())
  }

  schedule(ms: number, task: () => void): Disposable {
    return systemClock.schedule(ms, task)
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error)
    this.#begun += 1
    return new Promise((resolve, reject) => {
      const cancel = () => {
        this.#pauses.splice(this.#pauses.indexOf(pause), 1)
        reject(signal?.reason as Error)
      }
      const end = () => {
        signal?.removeEventListener('abort', cancel)
        resolve()
      }
      const pause = { at: this.now() + ms, end }
      this.#pauses.push(pause)
      signal?.addEventListener('abort', cancel, { once: true })
      if (!this.#isPumping) void this.#pump()
    })
  }

  async #pump(): Promise<void> {
    this.#isPumping = true
    while (this.#pauses.length > 0) {
      await this.#idle()
      const [earliest] = this.#pauses.toSorted((a, b) => a.at - b.at)
      if (earliest === undefined) break
      this.#pauses.splice(this.#pauses.indexOf(earliest), 1)
      this.#passed += Math.max(0, earliest.at - this.now())
      earliest.end()
    }
    this.#isPumping = false
  }

  /** Resolves after some turns in which nobody sent or received anything. */
  async #idle(): Promise<void> {
    let last = -1
    for (let quiet = 0; quiet < quietTurns;) {
      await turn()
      const now = this.#activity()
      quiet = now === last ? quiet + 1 : 0
      last = now
    }
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
