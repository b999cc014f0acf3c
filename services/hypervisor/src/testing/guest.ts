/** A kernel as the hypervisor sees one: it writes its memory and makes RTAS calls with real argument cells. */
import { partitionSpace, type Partition } from '@fadump-lab/shared/contracts'
import { decodeHcallReply, encodeHcall, hcallToken, type HcallName } from '@fadump-lab/shared/hcall'
import {
  decodeRtasReturns,
  encodeRtasCall,
  rtasToken,
  type RtasServiceName,
} from '@fadump-lab/shared/rtas'
import type { Epoch, SpaceId } from '@fadump-lab/shared/store'
import { fromAscii, fromHex, realAddress } from '@fadump-lab/shared/units'
import type { StartedHypervisor } from './started-hypervisor.ts'

export class Guest {
  readonly #host: StartedHypervisor
  readonly id: string

  constructor(host: StartedHypervisor, id: string) {
    this.#host = host
    this.id = id
  }

  get space(): SpaceId {
    return partitionSpace('server-1', this.id)
  }

  partition(): Promise<Partition> {
    return this.#host.client.getPartition({ params: { partition: this.id } })
  }

  async write(address: bigint, bytes: Uint8Array): Promise<void> {
    const { epoch } = await this.partition()
    await this.#host.store.write(
      this.space,
      { address: realAddress(address), bytes },
      epoch as Epoch,
    )
  }

  read(address: bigint, length: number): Promise<Uint8Array> {
    return this.#host.store.read(this.space, realAddress(address), length)
  }

  /** The return cells, signed; empty when the call does not return. */
  async rtas(
    service: RtasServiceName,
    args: readonly number[],
    options: { readonly returnCount?: number; readonly epoch?: number } = {},
  ): Promise<number[]> {
    return this.rtasToken(rtasToken(service), args, options)
  }

  async rtasToken(
    token: number,
    args: readonly number[],
    options: { readonly returnCount?: number; readonly epoch?: number } = {},
  ): Promise<number[]> {
    const epoch = options.epoch ?? (await this.partition()).epoch
    const body = encodeRtasCall({ token, args, returnCount: options.returnCount ?? 1 })
    const reply = await this.#host.client.rtasCall({
      params: { partition: this.id },
      query: { epoch },
      body,
    })
    return reply.byteLength === 0 ? [] : decodeRtasReturns(reply)
  }

  /** Registers from GPR3 on, by name: `[code, ...outputs]`. */
  async hcall(name: HcallName, ...args: readonly bigint[]): Promise<(number | bigint)[]> {
    return this.hcallToken(hcallToken[name], args)
  }

  async hcallToken(
    token: number,
    args: readonly bigint[],
    options: { readonly epoch?: number } = {},
  ): Promise<(number | bigint)[]> {
    const epoch = options.epoch ?? (await this.partition()).epoch
    const registers = await this.#host.client.hypervisorCall({
      params: { partition: this.id },
      query: { epoch },
      body: encodeHcall({ token, args }),
    })
    const { code, outputs } = decodeHcallReply(registers)
    return [code, ...outputs]
  }

  /** Lays `structure` (hexadecimal) at `address` and registers it; gives the status. */
  async register(address: number, structure: string, length?: number): Promise<number | undefined> {
    const bytes = fromHex(structure)
    await this.write(BigInt(address), bytes)
    const [status] = await this.rtas('ibm,configure-kernel-dump', [
      1,
      address,
      length ?? bytes.byteLength,
    ])
    return status
  }

  /** `ibm,os-term` with its message at `address`. */
  async osTerm(message = 'OS panic: sysrq', address = 0x8000): Promise<number[]> {
    await this.write(BigInt(address), fromAscii(`${message}\0`))
    return this.rtas('ibm,os-term', [address])
  }

  async report(event: 'booted' | 'rejected' | 'bootFailed', detail?: string): Promise<Partition> {
    const { epoch } = await this.partition()
    return this.#host.client.reportBootProgress({
      params: { partition: this.id },
      body: {
        epoch,
        event,
        ...(event === 'booted' ? { partitionUrl: `http://127.0.0.1:1/partitions/${this.id}` } : {}),
        ...(detail === undefined ? {} : { detail }),
      },
    })
  }
}

/** A partition of 64 MiB and one CPU unless told otherwise, activated: its kernel may write and call. */
export async function aStartedGuest(
  host: StartedHypervisor,
  partition: Readonly<Record<string, unknown>> = {},
): Promise<Guest> {
  const guest = await aGuest(host, partition)
  await host.client.activatePartition({ params: { partition: guest.id } })
  return guest
}

/** The same, not activated. */
export async function aGuest(
  host: StartedHypervisor,
  partition: Readonly<Record<string, unknown>> = {},
): Promise<Guest> {
  const created = await host.client.createPartition({
    body: { id: 'p1', memoryBytes: 64 * 1024 * 1024, processors: 1, ...partition },
  })
  return new Guest(host, created.id)
}
