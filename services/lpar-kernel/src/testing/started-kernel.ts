/** A kernel host and a fake firmware on one heap store, over loopback HTTP. */
import {
  captureQueue,
  iplQueue,
  type CaptureJob,
  type CrashCause,
  type lparKernelRoutes,
  type newPartition,
  type PartitionState,
} from '@fadump-lab/shared/contracts'
import { listen, type Client } from '@fadump-lab/shared/http'
import {
  createHeapEventLog,
  createInProcessQueues,
  type EventLog,
  type JobQueues,
} from '@fadump-lab/shared/queue'
import { systemClock, type Clock } from '@fadump-lab/shared/runtime'
import { createHeapMemoryStore, type MemoryStore } from '@fadump-lab/shared/store'
import { concat, realAddress } from '@fadump-lab/shared/units'
import type { z } from 'zod'
import type { CaptureProcess } from '../capture-process/port.ts'
import { FakeFirmware } from './fake-firmware.ts'
import { startHost } from './host.ts'
import type { Mortal } from './mortal.ts'

export interface StartedKernel extends AsyncDisposable {
  readonly url: string
  readonly client: Client<typeof lparKernelRoutes>
  readonly firmware: FakeFirmware
  readonly store: MemoryStore
  readonly events: EventLog
  /** Capture jobs that were announced. */
  readonly captures: CaptureJob[]
  /** Activates `given` and waits until its kernel is up. */
  boot(
    given: z.input<typeof newPartition>,
    options?: { readonly cpuStateSize?: bigint },
  ): Promise<void>
  /** Crashes the partition and waits until its capture kernel is up. */
  crash(cause?: CrashCause, cpu?: number): Promise<void>
  /** Starts another host on the same store and queues beside the present one; `counter` counts what it does. */
  anotherHost(counter?: Mortal, clock?: Clock): ReturnType<typeof startHost>
  /** Ends the present host, and starts another on the same store and queues. */
  replaceHost(): Promise<void>
  /** Waits until the partition is in one of `states`, its boot's user space included. */
  until(...states: readonly PartitionState[]): Promise<void>
  read(path: string): Promise<string>
  write(path: string, text: string): Promise<void>
  memory(address: bigint, length: number): Promise<Uint8Array>
}

export async function startKernel(
  options: {
    readonly clock?: Clock
    readonly store?: MemoryStore
    /** What the first host dies of. */
    readonly mortal?: Mortal
    readonly captureProcess?: CaptureProcess
    /** What hosts see of the queues. */
    readonly queuesOf?: (queues: JobQueues) => JobQueues
  } = {},
): Promise<StartedKernel> {
  const clock = options.clock ?? systemClock
  const store = options.store ?? createHeapMemoryStore()
  const queues = createInProcessQueues({ clock })
  const events = createHeapEventLog()
  const firmware = new FakeFirmware({ store, queues })
  const firmwareUrl = await listen(firmware.app, { host: '127.0.0.1', port: 0 })
  const claim = () => ({
    dump: firmware.partition.pendingDump ?? 'none-1',
    epoch: firmware.partition.epoch,
  })
  const { mortal, captureProcess } = options
  const parts = {
    claim,
    store,
    queues: options.queuesOf?.(queues) ?? queues,
    events,
    clock,
    hypervisorUrl: firmwareUrl,
    ...(captureProcess === undefined ? {} : { captureProcess }),
  }
  const partsOf = (of: Mortal | undefined) =>
    of === undefined ? parts : { ...parts, store: of.store(store), fetch: of.fetch }
  let host = await startHost(partsOf(mortal))
  const captures: CaptureJob[] = []
  const collector = await queues
    .open(captureQueue)
    .work(async ({ payload }) => void captures.push(payload), { concurrency: 1 })
  const params = (path: string) => ({ partition: firmware.partition.id, '*': path })
  const until = async (...states: readonly PartitionState[]) => {
    for (let turn = 0; turn < turnsMax; turn += 1) {
      const { waiting, active } = await queues.open(iplQueue).counts()
      if (states.includes(firmware.partition.state) && waiting + active === 0) return
      await systemClock.sleep(2)
    }
    const { state, lastFailure = 'no failure reported' } = firmware.partition
    throw new Error(`partition is ${state}, not ${states.join(' or ')}: ${lastFailure}`)
  }
  return {
    get url() {
      return host.url
    },
    get client() {
      return host.client
    },
    anotherHost: (counter, itsClock = clock) => startHost({ ...partsOf(counter), clock: itsClock }),
    replaceHost: async () => {
      await host[Symbol.asyncDispose]()
      host = await startHost(parts)
    },
    firmware,
    store,
    events,
    captures,
    until,
    boot: async (given, bootOptions) => {
      await firmware.activate(given, bootOptions)
      await until('running', 'error')
    },
    crash: async (cause = 'sysrq', cpu) => {
      const body = { cause, ...(cpu === undefined ? {} : { cpu }) }
      await host.client.crash({ params: { partition: firmware.partition.id }, body })
      await until('capturing', 'running', 'error')
    },
    read: (path) => host.client.readFile({ params: params(path) }),
    write: (path, text) => host.client.writeFile({ params: params(path), body: text }),
    memory: async (address, length) => {
      const parts: Uint8Array[] = []
      for (let done = 0; done < length; done += windowBytes) {
        const window = Math.min(windowBytes, length - done)
        parts.push(await store.read(firmware.space, realAddress(address + BigInt(done)), window))
      }
      return concat(parts)
    },
    [Symbol.asyncDispose]: async () => {
      await collector[Symbol.asyncDispose]()
      await host[Symbol.asyncDispose]()
      await firmware.app.close()
      await queues[Symbol.asyncDispose]()
    },
  }
}

const windowBytes = 1024 * 1024
/** Turns of 2 ms that a state is waited for. */
const turnsMax = 5000
