/**
 * Hypervisor and kernel host in one process, wired without sockets: what a kernel asks of firmware can be seen, and what
 * it is answered can be changed. A partition that has crashed stays in its capture kernel, as there is no collector.
 */
import { buildHypervisor } from '@fadump-lab/hypervisor'
import { buildLparKernel } from '@fadump-lab/lpar-kernel'
import {
  hypervisorRoutes,
  iplQueue,
  lparKernelRoutes,
  type ServiceName,
} from '@fadump-lab/shared/contracts'
import { decodeDeviceTree, encodeDeviceTree, type DeviceNode } from '@fadump-lab/shared/fdt'
import {
  createClient,
  createInProcessNetwork,
  type Client,
  type Fetch,
  type Reply,
} from '@fadump-lab/shared/http'
import { asDeclared, type DumpClaim } from '@fadump-lab/shared/identity'
import { createHeapEventLog, createInProcessQueues, type EventLog } from '@fadump-lab/shared/queue'
import { decodeRtasCall, decodeRtasReturns, rtasServiceOf } from '@fadump-lab/shared/rtas'
import { seededRandom, systemClock, type Clock } from '@fadump-lab/shared/runtime'
import { createHeapMemoryStore, type MemoryStore } from '@fadump-lab/shared/store'
import { createLogger, createMetrics } from '@fadump-lab/shared/telemetry'
import { testKeys } from './keys.ts'

/** One RTAS call of a kernel. */
export interface RtasRecord {
  readonly service: string
  readonly args: readonly number[]
  readonly status: number | 'no return'
}

/** What lies between one partition's kernel and its firmware. */
export interface Wire {
  /** Every RTAS call, in order. */
  readonly calls: RtasRecord[]
  /** The device tree as the kernel is to see it. Runs before the kernel looks at memory. */
  deviceTree?: (root: DeviceNode) => DeviceNode | Promise<DeviceNode>
  /** Runs before firmware gets a call. */
  beforeRtas?: (service: string) => Promise<void>
  /** `lost`: no kernel answers a system reset; `swallowed`: it is accepted, and nothing comes of it. */
  systemReset?: 'lost' | 'swallowed'
}

export interface Bench extends AsyncDisposable {
  readonly hypervisor: Client<typeof hypervisorRoutes>
  readonly kernel: Client<typeof lparKernelRoutes>
  /** The kernels for whoever collects one dump. */
  collecting(dump: DumpClaim): Client<typeof lparKernelRoutes>
  readonly store: MemoryStore
  readonly events: EventLog
  /** Milliseconds of every pause of a kernel, in order; none of them took any time. */
  readonly pauses: number[]
  /** Whether boots are under way, user space included. */
  isBooting(): Promise<boolean>
  wire(partition: string): Wire
}

const hypervisorUrl = 'http://hypervisor.test'
const kernelUrl = 'http://kernel.test'

export async function startBench(): Promise<Bench> {
  await using stack = new AsyncDisposableStack()
  const store = stack.use(createHeapMemoryStore())
  const queues = stack.use(createInProcessQueues({ clock: systemClock }))
  const events = createHeapEventLog()
  const pauses: number[] = []
  const wires = new Map<string, Wire>()
  const wire = (partition: string): Wire => {
    const known = wires.get(partition) ?? { calls: [] }
    wires.set(partition, known)
    return known
  }
  const inProcess = createInProcessNetwork()
  const network = inProcess.fetch
  const common = (service: ServiceName, clock: Clock) => ({
    identity: testKeys.identityOf(service),
    store,
    queues,
    events,
    clock,
    random: seededRandom(1),
    logger: createLogger({ service, level: 'silent' }),
    metrics: createMetrics({ processMetrics: false }),
  })
  const firmware = stack.use(
    buildHypervisor({
      ...common('hypervisor', systemClock),
      fetch: deafKernels(network, wire),
    }),
  )
  const host = stack.use(
    buildLparKernel({
      ...common('lpar-kernel', hastyClock(pauses)),
      hypervisorUrl,
      dumpKey: testKeys.dumpKey,
      fetch: tapped(network, wire),
    }),
  )
  inProcess.attach(new URL(hypervisorUrl).hostname, firmware)
  inProcess.attach(new URL(kernelUrl).hostname, host)
  await firmware.start(hypervisorUrl)
  await host.start(kernelUrl)
  const kept = stack.move()
  return {
    hypervisor: createClient(hypervisorRoutes, {
      baseUrl: hypervisorUrl,
      fetch: network,
      authorize: asDeclared(testKeys),
    }),
    kernel: createClient(lparKernelRoutes, {
      baseUrl: kernelUrl,
      fetch: network,
      authorize: asDeclared(testKeys),
    }),
    collecting: (dump) =>
      createClient(lparKernelRoutes, {
        baseUrl: kernelUrl,
        fetch: network,
        authorize: asDeclared(testKeys, () => dump),
      }),
    store,
    events,
    pauses,
    wire,
    isBooting: async () => {
      const { waiting, active } = await queues.open(iplQueue).counts()
      return waiting + active > 0
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

/** The machine's clock, except that pauses take no time: what was asked for is kept in `pauses`. */
function hastyClock(pauses: number[]): Clock {
  return {
    ...systemClock,
    sleep: async (ms, signal) => {
      signal?.throwIfAborted()
      if (ms >= 1) pauses.push(ms)
      await systemClock.sleep(0, signal)
    },
  }
}

async function bodyOf(body: unknown): Promise<Uint8Array | undefined> {
  if (body === undefined || body === null) return undefined
  if (typeof body === 'string') return new TextEncoder().encode(body)
  if (body instanceof Uint8Array) return body
  return new Uint8Array(await new Response(body as ReadableStream).arrayBuffer())
}

/** Calls of kernels to firmware, seen and changed on their way. */
function tapped(network: Fetch, wire: (partition: string) => Wire): Fetch {
  return async (input, init) => {
    const { pathname } = urlOf(input)
    const [, id = '', what = ''] = /^\/partitions\/([^/]+)\/([^/]+)$/.exec(pathname) ?? []
    const tap = wire(id)
    if (what === 'rtas')
      return tappedRtas(tap, await bodyOf(init?.body), () => network(input, init))
    const response = await network(input, init)
    return what === 'device-tree' ? changedTree(tap, response) : response
  }
}

async function tappedRtas(
  tap: Wire,
  body: Uint8Array | undefined,
  send: () => Promise<Reply>,
): Promise<Reply> {
  const call = decodeRtasCall(body ?? new Uint8Array(0))
  const service = rtasServiceOf(call.token) ?? 'unknown'
  await tap.beforeRtas?.(service)
  const response = await send()
  if (!response.ok) return response
  const reply = await response.bytes()
  tap.calls.push({ service, args: call.args, status: statusIn(reply) })
  return new Response(Uint8Array.from(reply))
}

async function changedTree(tap: Wire, response: Reply): Promise<Reply> {
  if (tap.deviceTree === undefined || !response.ok) return response
  const { root } = decodeDeviceTree(await response.bytes())
  return new Response(Uint8Array.from(encodeDeviceTree({ root: await tap.deviceTree(root) })))
}

function urlOf(input: Parameters<Fetch>[0]): URL {
  return new URL(input instanceof Request ? input.url : input)
}

function statusIn(reply: Uint8Array): number | 'no return' {
  return reply.byteLength === 0 ? 'no return' : (decodeRtasReturns(reply)[0] ?? 0)
}

/** The way of a system reset from firmware to the kernel. */
function deafKernels(network: Fetch, wire: (partition: string) => Wire): Fetch {
  return async (input, init) => {
    const [, id = ''] = /\/partitions\/([^/]+)\/interrupts\//.exec(urlOf(input).pathname) ?? []
    const { systemReset } = wire(id)
    if (systemReset === 'lost') throw new TypeError('nobody answers')
    if (systemReset === 'swallowed') return new Response(null, { status: 202 })
    return network(input, init)
  }
}
