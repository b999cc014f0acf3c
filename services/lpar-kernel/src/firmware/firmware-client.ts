/** The hypervisor as one boot of one partition reaches it: firmware calls with this boot's generation in them. */
import type {
  BootProgress,
  hypervisorRoutes,
  ImageNotes,
  Partition,
  Vcpu,
} from '@fadump-lab/shared/contracts'
import {
  decodeHcallReply,
  encodeHcall,
  hcallToken,
  type HcallName,
  type HcallReply,
} from '@fadump-lab/shared/hcall'
import type { Client } from '@fadump-lab/shared/http'
import { decodeRtasReturns, encodeRtasCall, rtasDelayMs } from '@fadump-lab/shared/rtas'
import type { Clock } from '@fadump-lab/shared/runtime'
import type { Epoch } from '@fadump-lab/shared/store'
import { hex, rangeLength, type MemoryRange } from '@fadump-lab/shared/units'

export type HypervisorClient = Client<typeof hypervisorRoutes>

export interface BootIdentity {
  readonly partition: string
  readonly epoch: Epoch
  readonly correlationId: string
}

/** A call that does not return: the partition is gone from under the kernel. */
export const doesNotReturn = 'does not return'

export interface FirmwareCall {
  readonly token: number
  readonly args: readonly number[]
}

export class FirmwareClient {
  readonly #hypervisor: HypervisorClient
  readonly #clock: Clock
  readonly #signal: AbortSignal
  readonly boot: BootIdentity

  constructor(
    given: {
      readonly hypervisor: HypervisorClient
      readonly clock: Clock
      /** Ends the waiting for a busy firmware; there is no other bound, as in Linux. */
      readonly signal: AbortSignal
    },
    boot: BootIdentity,
  ) {
    this.#hypervisor = given.hypervisor
    this.#clock = given.clock
    this.#signal = given.signal
    this.boot = boot
  }

  /**
   * One RTAS call with one return cell, repeated while firmware is busy: 1 ms for −2, 10ˣ ms for 990x (C023). Gives the
   * status.
   */
  async callRtas(call: FirmwareCall): Promise<number | typeof doesNotReturn> {
    const buffer = encodeRtasCall({ ...call, returnCount: 1 })
    for (;;) {
      const reply = await this.#hypervisor.rtasCall({
        ...this.#request,
        query: { epoch: this.boot.epoch },
        body: buffer,
      })
      if (reply.byteLength === 0) return doesNotReturn
      const status = decodeRtasReturns(reply)[0] ?? 0
      const delayMs = rtasDelayMs(status)
      if (delayMs === undefined) return status
      await this.#clock.sleep(delayMs, this.#signal)
    }
  }

  /** One hypervisor call; long ones are the caller's to cut into pieces. */
  async hypervisorCall(name: HcallName, args: readonly bigint[]): Promise<HcallReply> {
    const reply = await this.#hypervisor.hypervisorCall({
      ...this.#request,
      query: { epoch: this.boot.epoch },
      body: encodeHcall({ token: hcallToken[name], args }),
    })
    return decodeHcallReply(reply)
  }

  partition(): Promise<Partition> {
    return this.#hypervisor.getPartition(this.#request)
  }

  deviceTree(): Promise<Uint8Array> {
    return this.#hypervisor.getDeviceTree(this.#request)
  }

  imageNotes(image: string): Promise<ImageNotes> {
    const { correlationId } = this.boot
    return this.#hypervisor.getImageNotes({ params: { image }, correlationId })
  }

  vcpus(): Promise<readonly Vcpu[]> {
    return this.#hypervisor.getVcpus(this.#request)
  }

  async putVcpus(vcpus: readonly Vcpu[]): Promise<void> {
    const body = { epoch: this.boot.epoch, vcpus: vcpus.map(encodeVcpu) }
    await this.#hypervisor.putVcpus({ ...this.#request, body })
  }

  /** Which memory the partition has from now on; `memoryHoles` and `addedMemory` as in its configuration. */
  assignMemory(blocks: {
    readonly memoryHoles: readonly MemoryRange[]
    readonly addedMemory: readonly MemoryRange[]
  }): Promise<Partition> {
    const encode = (range: MemoryRange) => ({
      address: hex(range.start),
      length: Number(rangeLength(range)),
    })
    const body = {
      epoch: this.boot.epoch,
      memoryHoles: blocks.memoryHoles.map(encode),
      addedMemory: blocks.addedMemory.map(encode),
    }
    return this.#hypervisor.assignMemory({ ...this.#request, body })
  }

  reportBootProgress(progress: Omit<BootProgress, 'epoch'>): Promise<Partition> {
    const body = { ...progress, epoch: this.boot.epoch }
    return this.#hypervisor.reportBootProgress({ ...this.#request, body })
  }

  get #request() {
    return {
      params: { partition: this.boot.partition },
      correlationId: this.boot.correlationId,
      signal: this.#signal,
    }
  }
}

function encodeVcpu({ cpu, online, registers }: Vcpu) {
  const text = Object.fromEntries(
    Object.entries(registers).map(([name, value]) => [name, hex(value)]),
  )
  return { cpu, online, registers: text }
}
