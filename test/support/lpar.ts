/** One partition on a bench, as the tests handle it: power, files, memory, firmware, the dump. */
import {
  type CrashCause,
  isProblem,
  type NewFirmwareFault,
  type NewPartition,
  type Partition,
  partitionSpace,
  type PartitionState,
  records,
} from '@fadump-lab/shared/contracts'
import { decodeDeviceTree, deviceNode, findNode, type DeviceNode } from '@fadump-lab/shared/fdt'
import {
  decodeRtasReturns,
  encodeRtasCall,
  rtasToken,
  type RtasServiceName,
} from '@fadump-lab/shared/rtas'
import { toEpoch, type SpaceId } from '@fadump-lab/shared/store'
import { concat, fromHex, realAddress, toHex } from '@fadump-lab/shared/units'
import type { Bench, RtasRecord, Wire } from './bench.ts'

export type LparForm = Partial<
  Omit<
    NewPartition,
    'id' | 'memoryBytes' | 'content' | 'memoryHoles' | 'maximumMemoryBytes' | 'rmaBytes'
  >
> & {
  readonly memoryBytes?: number
  readonly maximumMemoryBytes?: number
  readonly rmaBytes?: number
  readonly memoryHoles?: readonly { readonly address: string; readonly length: number }[]
  readonly content?: {
    readonly seed: number
    readonly populatedBytes: number
    readonly movableBytes?: number
  }
}

const turnsMax = 20_000
const readBytesMax = 1024 * 1024
/** States in which nothing goes on by itself. */
const settled: readonly PartitionState[] = [
  'running',
  'capturing',
  'not-activated',
  'error',
  'terminated',
]

export class Lpar implements AsyncDisposable {
  readonly #bench: Bench
  readonly id: string
  readonly #space: SpaceId

  constructor(bench: Bench, id: string) {
    this.#bench = bench
    this.id = id
    this.#space = partitionSpace('server-1', id)
  }

  /** Creates a partition that stays off. */
  static async create(bench: Bench, id: string, form: LparForm): Promise<Lpar> {
    const { offlineCpus, memoryHoles, kernelDefects, rmaBytes, ...rest } = form
    await bench.hypervisor.createPartition({
      body: {
        id,
        memoryBytes: 2 * 2 ** 30,
        processors: 1,
        captureTarget: 'local',
        content: { seed: 7, populatedBytes: 0x4_0000 },
        ...rest,
        ...(rmaBytes === undefined ? {} : { rmaBytes }),
        ...(offlineCpus === undefined ? {} : { offlineCpus: [...offlineCpus] }),
        ...(kernelDefects === undefined ? {} : { kernelDefects: [...kernelDefects] }),
        ...(memoryHoles === undefined ? {} : { memoryHoles: [...memoryHoles] }),
      },
    })
    return new Lpar(bench, id)
  }

  get wire(): Wire {
    return this.#bench.wire(this.id)
  }

  /** RTAS calls of the kernel to `service` so far. */
  calls(service: RtasServiceName = 'ibm,configure-kernel-dump'): readonly RtasRecord[] {
    return this.wire.calls.filter((call) => call.service === service)
  }

  partition(): Promise<Partition> {
    return this.#bench.hypervisor.getPartition(this.#params)
  }

  get #params() {
    return { params: { partition: this.id } }
  }

  // Power

  async activate(): Promise<this> {
    await this.#bench.hypervisor.activatePartition(this.#params)
    await this.settle()
    return this
  }

  /** Waits until the partition is in one of `states` and no boot is under way. */
  async settle(...states: readonly PartitionState[]): Promise<Partition> {
    const wanted = states.length === 0 ? settled : states
    return this.until(wanted.join(' or '), ({ state }) => wanted.includes(state))
  }

  /** Waits until `holds` and no boot is under way. */
  async until(what: string, holds: (now: Partition) => boolean): Promise<Partition> {
    for (let turn = 0; turn < turnsMax; turn += 1) {
      if (!(await this.#bench.isBooting())) {
        const now = await this.partition()
        if (holds(now) && !(await this.#bench.isBooting())) return now
      }
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    const { state, lastFailure } = await this.partition()
    throw new Error(`${this.id} is ${state}, not ${what}: ${lastFailure ?? ''}`)
  }

  /** Crashes the kernel and waits for what comes of it: the next boot, or the end. */
  async crash(cause: CrashCause = 'sysrq', cpu?: number): Promise<Partition> {
    const { epoch } = await this.partition()
    const body = { cause, ...(cpu === undefined ? {} : { cpu }) }
    await this.#bench.kernel.crash({ ...this.#params, body })
    return this.nextBoot(epoch)
  }

  /** Waits until the boot after `epoch` is up, or the partition has come to another end. */
  nextBoot(epoch: number): Promise<Partition> {
    return this.until(
      `booted after boot ${epoch}`,
      (now) => settled.includes(now.state) && (now.epoch > epoch || now.state === 'terminated'),
    )
  }

  async kill(): Promise<Partition> {
    const { epoch } = await this.partition()
    await this.#bench.hypervisor.killPartition(this.#params)
    return this.nextBoot(epoch)
  }

  async restart(): Promise<Partition> {
    const { epoch } = await this.partition()
    await this.#bench.hypervisor.restartPartition(this.#params)
    return this.nextBoot(epoch)
  }

  async shutdown(action: 'reboot' | 'power-off' | 'kexec'): Promise<Partition> {
    const { epoch } = await this.partition()
    await this.#bench.kernel.shutdown({ ...this.#params, body: { action } })
    // kexec: firmware starts nothing, so the boot keeps its number.
    return action === 'kexec' ? this.settle() : this.nextBoot(epoch)
  }

  async systemReset(): Promise<void> {
    await this.#bench.hypervisor.systemReset(this.#params)
  }

  /** The interrupt itself, at some of the CPUs. */
  async systemResetAt(cpus: readonly number[]): Promise<Partition> {
    const { epoch } = await this.partition()
    const body = { epoch, cpus: [...cpus] }
    await this.#bench.kernel.systemResetInterrupt({ ...this.#params, body })
    return this.nextBoot(epoch)
  }

  async migrate(): Promise<void> {
    await this.#bench.hypervisor.migratePartition(this.#params)
  }

  async arm(name: NewFirmwareFault['name'], value?: number, times = 1): Promise<void> {
    const body = { name, times, ...(value === undefined ? {} : { value }) }
    await this.#bench.hypervisor.armFirmwareFault({ ...this.#params, body })
  }

  // Files of the kernel

  read(path: string): Promise<string> {
    return this.#bench.kernel.readFile({ params: { partition: this.id, '*': path } })
  }

  write(path: string, text: string): Promise<void> {
    return this.#bench.kernel
      .writeFile({ params: { partition: this.id, '*': path }, body: text })
      .then(() => undefined)
  }

  /** `ok`, or the errno that a write gives. */
  wrote(path: string, text: string): Promise<string> {
    return answerOf(this.write(path, text))
  }

  /** The text, or the errno that reading gives. */
  readOrErrno(path: string): Promise<string> {
    return answerOf(this.read(path))
  }

  proc(file: string): Promise<string> {
    return this.#bench.kernel.readProc({ params: { partition: this.id, file } })
  }

  /** Lines of the kernel's log without level and time. */
  async log(): Promise<readonly string[]> {
    const text = await this.proc('kmsg')
    return text
      .split('\n')
      .map((line) => line.replace(/^<\d+>\[ *[\d.]+\] (?:\[ *[TC]\d+\] )?/, ''))
  }

  // Memory and firmware

  async bytes(address: bigint | number, length: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = []
    for (let done = 0; done < length; done += readBytesMax) {
      const at = realAddress(BigInt(address) + BigInt(done))
      parts.push(
        await this.#bench.store.read(this.#space, at, Math.min(readBytesMax, length - done)),
      )
    }
    return concat(parts)
  }

  async hex(address: bigint | number, length: number): Promise<string> {
    return toHex(await this.bytes(address, length))
  }

  /** Writes memory as the present boot's kernel would. */
  async poke(address: bigint | number, bytes: Uint8Array | string): Promise<void> {
    const { epoch } = await this.partition()
    await this.#bench.store.write(
      this.#space,
      {
        address: realAddress(BigInt(address)),
        bytes: typeof bytes === 'string' ? fromHex(bytes) : bytes,
      },
      toEpoch(epoch),
    )
  }

  /** The return cells; empty when the call does not return. */
  async rtas(
    service: RtasServiceName | number,
    args: readonly number[],
    returnCount = 1,
  ): Promise<readonly number[]> {
    const { epoch } = await this.partition()
    const token = typeof service === 'number' ? service : rtasToken(service)
    const reply = await this.#bench.hypervisor.rtasCall({
      ...this.#params,
      query: { epoch },
      body: encodeRtasCall({ token, args, returnCount }),
    })
    return reply.byteLength === 0 ? [] : decodeRtasReturns(reply)
  }

  async deviceTree(): Promise<DeviceNode> {
    return decodeDeviceTree(await this.#bench.hypervisor.getDeviceTree(this.#params)).root
  }

  /** A property of `/rtas`, hexadecimal; `undefined` when it is not there. */
  async rtasProperty(name: string): Promise<string | undefined> {
    const bytes = findNode(await this.deviceTree(), '/rtas')?.properties.get(name)
    return bytes === undefined ? undefined : toHex(bytes)
  }

  async structure(structure: 'fdm' | 'regsave' | 'crash-info'): Promise<Uint8Array> {
    return this.#bench.hypervisor.getStructure({ params: { partition: this.id, structure } })
  }

  /** A variable of the kernel that lies in its record, not in memory. */
  async kernelVariable(path: string): Promise<string> {
    const { value = '{}' } = await this.#bench.store.readRecord(this.#space, records.kernel)
    let found: unknown = JSON.parse(value)
    for (const name of path.split('.')) found = (found as Record<string, unknown>)[name]
    return String(found)
  }

  /** `length` bytes of /proc/vmcore from `from`. */
  async vmcore(from: number, length: number): Promise<Uint8Array> {
    const reply = await this.#readVmcore(`bytes=${from}-${from + length - 1}`)
    const parts: Uint8Array[] = []
    for await (const part of reply.body) parts.push(part)
    return concat(parts)
  }

  async #readVmcore(range: string) {
    const { epoch, pendingDump = 'no-dump' } = await this.partition()
    const collector = this.#bench.collecting({ dump: pendingDump, epoch })
    return collector.readVmcore({ ...this.#params, headers: { range } })
  }

  /** The size of /proc/vmcore, or the errno of opening it. */
  async vmcoreSize(): Promise<number | string> {
    try {
      const reply = await this.#readVmcore('bytes=0-0')
      return Number(reply.headers.get('content-range')?.split('/')[1])
    } catch (error) {
      return errnoOf(error)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { state } = await this.settle()
    if (state !== 'not-activated') await this.#bench.hypervisor.powerOffPartition(this.#params)
    await this.#bench.hypervisor.deletePartition(this.#params)
  }
}

function answerOf(work: Promise<unknown>): Promise<string> {
  return work.then((value) => (typeof value === 'string' ? value : 'ok'), errnoOf)
}

function errnoOf(error: unknown): string {
  if (isProblem(error, 'errno')) return String(error.extensions['errno'])
  throw error
}

/** `root` with the properties of the node at `path` changed; `undefined` takes one away. */
export function withProperties(
  root: DeviceNode,
  name: string,
  changes: Readonly<Record<string, Uint8Array | undefined>>,
): DeviceNode {
  const change = (node: DeviceNode): DeviceNode => {
    const properties = new Map(node.properties)
    for (const [key, value] of Object.entries(changes)) {
      if (value === undefined) properties.delete(key)
      else properties.set(key, value)
    }
    return deviceNode(node.name, properties, node.children)
  }
  if (name === '') return change(root)
  const children = root.children.map((child) => (child.name === name ? change(child) : child))
  return deviceNode(root.name, root.properties, children)
}
