/**
 * A hypervisor that is just enough for a kernel: partitions on a heap store, registration, preserve and boot by the
 * rules of shared/fadump, over the real routes. Statuses can be made to come first, so that a busy or broken firmware
 * can be played.
 */
import {
  hypervisorRoutes,
  imageSpace,
  iplQueue,
  newPartition,
  partitionMachine,
  partitionSpace,
  Problem,
  records,
  type ImageNotes,
  type Partition,
  type Vcpu,
} from '@fadump-lab/shared/contracts'
import {
  configureKernelDump,
  decodeDumpMemoryStructure,
  dumpProperties,
  dumpProperty,
  encodeDumpMemoryStructure,
  firmwarePersonalities,
  hpteSaveAreaLength,
  planPreserve,
  registerSaveAreaLength,
  registrationMachine,
  writeHpteSaveArea,
  writeRegisterSaveArea,
  type DumpMemoryStructure,
} from '@fadump-lab/shared/fadump'
import { deviceNode, encodeDeviceTree, fromCells64, fromText } from '@fadump-lab/shared/fdt'
import { createApp, serveRoutes, type Handlers } from '@fadump-lab/shared/http'
import type { JobQueues } from '@fadump-lab/shared/queue'
import {
  decodeRtasCall,
  encodeRtasReply,
  rtasServiceOf,
  rtasTokenProperties,
  type RtasCall,
} from '@fadump-lab/shared/rtas'
import {
  toEpoch,
  type Epoch,
  type MemoryChange,
  type MemoryStore,
  type SpaceId,
} from '@fadump-lab/shared/store'
import {
  byteLength,
  memoryRange,
  realAddress,
  toAscii,
  type ByteLength,
} from '@fadump-lab/shared/units'
import { createLogger, createMetrics } from '@fadump-lab/shared/telemetry'
import type { FastifyInstance } from 'fastify'
import type { z } from 'zod'
import { memoryNodes } from './memory-nodes.ts'

const personality = firmwarePersonalities.papr

export interface RtasRecord {
  readonly service: string
  readonly args: readonly number[]
  readonly status: number | 'no return'
}

export class FakeFirmware {
  readonly store: MemoryStore
  readonly app: FastifyInstance
  /** Every RTAS call, in order. */
  readonly calls: RtasRecord[] = []
  /** Statuses that firmware gives before it does anything, by service. */
  readonly forced: { service: string; status: number }[] = []
  /** What arrived with `ibm,os-term`. */
  readonly messages: string[] = []
  /** Changes the dump after it was preserved, before the capture boot sees it. */
  tamper: ((dump: DumpMemoryStructure) => DumpMemoryStructure) | undefined
  /** Changes memory after it was preserved, before the capture boot sees it. */
  beforeCapture: ((store: MemoryStore, space: SpaceId, epoch: Epoch) => Promise<void>) | undefined
  /** Memory behind the configured end that the next device tree states as well. */
  memoryAdded = 0n
  /** What the next device tree states in `/reserved-ranges`: address and length of each. */
  reservedRanges: readonly bigint[] = []
  /** Leaves `ibm,extended-os-term` out of the device tree. */
  omitExtendedOsTerm = false
  readonly images = new Map<string, ImageNotes>()
  #partition: Partition | undefined
  #vcpus: Vcpu[] = []
  #registered: DumpMemoryStructure | undefined
  #dump: DumpMemoryStructure | undefined
  readonly #queues: JobQueues
  #cpuStateSize: ByteLength | undefined

  constructor(given: { readonly store: MemoryStore; readonly queues: JobQueues }) {
    this.store = given.store
    this.#queues = given.queues
    this.app = createApp({
      guard: async () => ({ kind: 'service', name: 'lpar-kernel' }),
      logger: createLogger({ service: 'hypervisor', level: 'silent' }),
      metrics: createMetrics({ processMetrics: false }),
      newCorrelationId: () => 'test-1',
      ready: async () => {},
    })
    serveRoutes(this.app, hypervisorRoutes, this.#handlers())
  }

  get partition(): Partition {
    if (this.#partition === undefined) throw new Error('the fake firmware has no partition')
    return this.#partition
  }

  get vcpus(): readonly Vcpu[] {
    return this.#vcpus
  }

  /** What firmware holds as registered, and what it presents. */
  get registered(): DumpMemoryStructure | undefined {
    return this.#registered
  }

  get dump(): DumpMemoryStructure | undefined {
    return this.#dump
  }

  get space(): SpaceId {
    return partitionSpace(this.partition.frame, this.partition.id)
  }

  /** Makes the partition and boots it. `cpuStateSize` replaces 8 KiB a CPU. */
  async activate(
    given: z.input<typeof newPartition>,
    options: { readonly cpuStateSize?: bigint } = {},
  ): Promise<void> {
    const configured = newPartition.parse(given)
    this.#cpuStateSize =
      options.cpuStateSize === undefined ? undefined : byteLength(options.cpuStateSize)
    this.#partition = {
      ...configured,
      rmaBytes: configured.rmaBytes ?? byteLength(least(configured.memoryBytes, 256n << 20n)),
      addedMemory: [],
      state: 'starting',
      registration: 'idle',
      epoch: 0,
      crashes: 0,
      correlationId: 'test-1',
    }
    await this.store.createSpace(
      this.space,
      configured.maximumMemoryBytes ?? configured.memoryBytes,
    )
    await this.#boot(
      configured.image === undefined
        ? { nextEpoch: true }
        : { nextEpoch: true, cloneFrom: imageSpace(configured.frame, configured.image) },
    )
  }

  /** Boots again without clearing memory: what a restart during the capture does. */
  async restartCapture(): Promise<void> {
    this.#set({ state: 'capture-starting' })
    await this.#boot({ nextEpoch: true })
  }

  /** Runs the present boot's job once more, as after the death of a host. */
  async repeatIpl(): Promise<void> {
    const { frame, id: partition, epoch, correlationId } = this.partition
    const job = { frame, partition, epoch, correlationId }
    await this.#queues.open(iplQueue).add(`${partition}-${epoch}-again`, job)
  }

  /** What the next boot finds on its command line. */
  changeBootArguments(bootArguments: string): void {
    this.#set({ bootArguments })
  }

  #set(change: Partial<Partition>): void {
    this.#partition = { ...this.partition, ...change }
  }

  async #boot(change: MemoryChange): Promise<void> {
    const { epoch } = await this.store.commit(this.space, change)
    this.#set({ epoch })
    if (this.#dump !== undefined) await this.beforeCapture?.(this.store, this.space, epoch)
    const { frame, id: partition, correlationId } = this.partition
    await this.#queues
      .open(iplQueue)
      .add(`${partition}-${epoch}`, { frame, partition, epoch, correlationId })
  }

  #event(event: (typeof partitionMachine.events)[number]): void {
    const state = partitionMachine.next(this.partition.state, event)
    if (state === undefined) {
      throw new Problem('wrong-state', `${this.partition.state} does not accept ${event}`)
    }
    this.#set({ state })
  }

  #handlers(): Handlers<typeof hypervisorRoutes> {
    const unused = () => Promise.reject(new Problem('not-found', 'not part of the fake firmware'))
    const names = Object.keys(hypervisorRoutes).map((name) => [name, unused])
    const served: Partial<Handlers<typeof hypervisorRoutes>> = {
      getPartition: async ({ params }) => {
        if (params.partition === this.#partition?.id) return this.partition
        throw new Problem('not-found', `there is no partition ${params.partition}`)
      },
      getDeviceTree: async () => this.#deviceTree(),
      rtasCall: async ({ query, body }) => {
        this.#checkEpoch(query.epoch)
        return this.#rtas(decodeRtasCall(body))
      },
      putVcpus: async ({ body }) => {
        this.#checkEpoch(body.epoch)
        for (const vcpu of body.vcpus) this.#vcpus[vcpu.cpu] = vcpu
        return undefined
      },
      getVcpus: async () => this.#vcpus,
      assignMemory: async ({ body: { epoch, memoryHoles, addedMemory } }) => {
        this.#checkEpoch(epoch)
        this.#set({ memoryHoles, addedMemory })
        return this.partition
      },
      reportBootProgress: async ({ body }) => {
        this.#checkEpoch(body.epoch)
        this.#event(body.event)
        this.#set({
          ...(body.partitionUrl === undefined ? {} : { partitionUrl: body.partitionUrl }),
          ...(body.detail === undefined ? {} : { lastFailure: body.detail }),
        })
        return this.partition
      },
      getImageNotes: async ({ params }) => {
        const notes = this.images.get(params.image)
        if (notes === undefined) throw new Problem('not-found', `there is no image ${params.image}`)
        return notes
      },
    }
    return { ...(Object.fromEntries(names) as Handlers<typeof hypervisorRoutes>), ...served }
  }

  #checkEpoch(epoch: number): void {
    if (epoch !== this.partition.epoch) throw new Problem('stale-boot', `boot ${epoch} is over`)
  }

  #sizes() {
    return {
      cpuStateSize: this.#cpuStateSize ?? registerSaveAreaLength(this.partition.processors),
      hpteSize: hpteSaveAreaLength,
    }
  }

  #deviceTree(): Uint8Array {
    const { bootArguments, dumpOption } = this.partition
    const memoryBytes = this.partition.memoryBytes + this.memoryAdded
    const offered = ['ibm,os-term', 'system-reboot', 'power-off'] as const
    const reserved =
      this.reservedRanges.length === 0
        ? {}
        : { 'reserved-ranges': fromCells64(...this.reservedRanges) }
    const root = deviceNode('', reserved, [
      deviceNode('chosen', { bootargs: fromText(bootArguments) }),
      ...memoryNodes(this.partition, memoryBytes),
      deviceNode(
        'rtas',
        new Map(
          [
            ...rtasTokenProperties([...offered]),
            ...dumpProperties({
              dumpOption,
              ...this.#sizes(),
              personality,
              ...(this.#dump === undefined ? {} : { dump: this.#dump }),
            }),
          ].filter(([name]) => !this.omitExtendedOsTerm || name !== dumpProperty.extendedOsTerm),
        ),
      ),
    ])
    return encodeDeviceTree({ root })
  }

  async #rtas(call: RtasCall): Promise<Uint8Array> {
    const service = rtasServiceOf(call.token) ?? 'unknown'
    const forced = this.forced.findIndex((row) => row.service === service)
    const [first] = forced < 0 ? [] : this.forced.splice(forced, 1)
    const status = first?.status ?? (await this.#serve(service, call))
    this.calls.push({ service, args: call.args, status })
    return status === 'no return' ? new Uint8Array(0) : encodeRtasReply(call, [status])
  }

  async #serve(service: string, call: RtasCall): Promise<number | 'no return'> {
    switch (service) {
      case 'ibm,configure-kernel-dump':
        return this.#configure(call)
      case 'ibm,os-term':
        return this.#osTerm(call)
      case 'system-reboot':
        this.#event('restart')
        this.#set({ registration: 'idle' })
        await this.#boot({ clears: [memoryRange(0n, this.partition.memoryBytes)], nextEpoch: true })
        return 'no return'
      case 'power-off':
        this.#event('powerOff')
        this.#set({ registration: 'idle' })
        await this.store.commit(this.space, { nextEpoch: true })
        return 'no return'
      default:
        return -3
    }
  }

  async #configure(call: RtasCall): Promise<number> {
    const { registration, rmaBytes } = this.partition
    const answer = await configureKernelDump(
      call,
      { registration, personality, rmaSize: rmaBytes },
      (address, length) => this.store.read(this.space, address, length),
    )
    if (answer.event === undefined) return answer.status
    this.#set({
      registration: registrationMachine.next(registration, answer.event) ?? registration,
    })
    this.#registered = answer.structure
    if (answer.event === 'invalidate') {
      this.#dump = undefined
      this.#event(this.partition.state === 'capture-starting' ? 'rejected' : 'released')
    }
    return answer.status
  }

  async #osTerm(call: RtasCall): Promise<number | 'no return'> {
    const text = await this.store.read(this.space, realAddress(call.args[0] ?? 0), 512)
    this.messages.push(toAscii(text.subarray(0, text.indexOf(0))))
    if (this.partition.registration !== 'registered') {
      this.#event('terminateUnregistered')
      return 0
    }
    this.#event('terminate')
    await this.preserve()
    return 'no return'
  }

  /** Preserves and boots the capture kernel; also what firmware does when no kernel answers. */
  async preserve(): Promise<void> {
    if (this.partition.state === 'running') this.#event('terminate')
    const structure = this.#registered
    if (structure === undefined) throw new Error('nothing is registered')
    const { memoryBytes, id } = this.partition
    const crashes = this.partition.crashes + 1
    const sizes = this.#sizes()
    const plan = planPreserve({ structure, partitionSize: memoryBytes, ...sizes, personality })
    const online = this.#vcpus.filter((vcpu) => vcpu.online)
    const change: Required<Pick<MemoryChange, 'copies' | 'writes'>> = { copies: [], writes: [] }
    const copies = plan.outcomes.flatMap(({ action }) => (action.kind === 'copy' ? [action] : []))
    const writes = plan.outcomes.flatMap(({ action }) => {
      if (action.kind === 'write-hpte') {
        return [{ address: action.target, bytes: writeHpteSaveArea([], action.length) }]
      }
      if (action.kind !== 'write-cpu-state') return []
      return [{ address: action.target, bytes: writeRegisterSaveArea(online, action.length) }]
    })
    const dump = this.tamper?.(plan.structure) ?? plan.structure
    this.#dump = decodeDumpMemoryStructure(encodeDumpMemoryStructure(dump))
    this.#registered = undefined
    this.#event('preserved')
    this.#set({ registration: 'active', crashes, pendingDump: `${id}-${crashes}` })
    this.#vcpus = []
    await this.#boot({ ...change, copies, writes, nextEpoch: true })
  }

  /** The kernel's record, for tests that look at it. */
  async kernelRecord(): Promise<string | undefined> {
    return (await this.store.readRecord(this.space, records.kernel)).value
  }

  get epoch(): Epoch {
    return toEpoch(this.partition.epoch)
  }
}

function least(a: bigint, b: bigint): ByteLength {
  return byteLength(a < b ? a : b)
}
