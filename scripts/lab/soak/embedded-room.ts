/** A machine room of its own for one soak: nothing of it is left. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hmcRoutes } from '@fadump-lab/shared/contracts'
import { createClient, type Client } from '@fadump-lab/shared/http'
import { bearer } from '@fadump-lab/shared/identity'
import { createHeapEventLog, createInProcessQueues } from '@fadump-lab/shared/queue'
import { systemClock, systemRandom } from '@fadump-lab/shared/runtime'
import { createHeapMemoryStore } from '@fadump-lab/shared/store'
import { startMachineRoom } from '../machine-room.ts'

/** A soak waits for what services wait for: silence is noticed and a full disk looked at again sooner than in life. */
const idleTimeoutMs = 3000
const housekeepingMs = 1000

export async function embeddedRoom(): Promise<
  AsyncDisposable & { readonly api: Client<typeof hmcRoutes> }
> {
  await using stack = new AsyncDisposableStack()
  const dumpRoot = await mkdtemp(join(tmpdir(), 'fadump-soak-'))
  stack.defer(() => rm(dumpRoot, { recursive: true, force: true }))
  const room = stack.use(
    await startMachineRoom({
      store: stack.use(createHeapMemoryStore()),
      queues: stack.use(createInProcessQueues({ clock: systemClock })),
      events: stack.use(createHeapEventLog()),
      clock: systemClock,
      random: systemRandom(),
      dumpRoot,
      logLevel: 'silent',
      port: 0,
      faults: true,
      collector: { idleTimeoutMs, housekeepingMs, capturesPerHourMax: 0 },
    }),
  )
  const kept = stack.move()
  const authorize = bearer(room.tokenFor('administrator'))
  return {
    api: createClient(hmcRoutes, { baseUrl: room.urls.console, authorize }),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}
