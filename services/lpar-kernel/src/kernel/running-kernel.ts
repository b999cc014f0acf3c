/** A kernel that is up, as one request deals with it: its record, its memory, its firmware. */
import type { Clock, KeyedMutex } from '@fadump-lab/shared/runtime'
import type { Epoch, MemoryStore, SpaceId } from '@fadump-lab/shared/store'
import type { FirmwareClient } from '../firmware/firmware-client.ts'
import { PartitionMemory } from '../memory/partition-memory.ts'
import { printk, type Line } from './kernel-log.ts'
import { saveKernelRecord, type KernelRecord, type LoadedKernel } from './kernel-record.ts'

export class RunningKernel {
  readonly #store: MemoryStore
  readonly #clock: Clock
  readonly #logMutex: KeyedMutex
  readonly space: SpaceId
  readonly memory: PartitionMemory
  readonly firmware: FirmwareClient
  #loaded: LoadedKernel

  constructor(given: {
    readonly store: MemoryStore
    readonly clock: Clock
    readonly space: SpaceId
    readonly firmware: FirmwareClient
    readonly loaded: LoadedKernel
    readonly logMutex: KeyedMutex
  }) {
    this.#store = given.store
    this.#clock = given.clock
    this.#logMutex = given.logMutex
    this.space = given.space
    this.firmware = given.firmware
    this.#loaded = given.loaded
    this.memory = new PartitionMemory(given.store, given.space, given.loaded.record.epoch as Epoch)
  }

  get record(): KernelRecord {
    return this.#loaded.record
  }

  /** Changes the record; `false` when another host was faster or the boot is over. */
  async update(change: Partial<KernelRecord>): Promise<boolean> {
    const next = { ...this.#loaded.record, ...change }
    const saved = await saveKernelRecord(this.#store, this.space, { loaded: this.#loaded, next })
    if (saved === undefined) return false
    this.#loaded = saved
    return true
  }

  updateFadump(change: Partial<KernelRecord['fadump']>): Promise<boolean> {
    return this.update({ fadump: { ...this.record.fadump, ...change } })
  }

  /** Logs lines, unless the log is an image's, which stays as the real kernel left it. */
  async printk(lines: readonly Line[], cpu?: number): Promise<void> {
    const { isImage, profile, bootedAtMs, partition } = this.record
    if (isImage) return
    const time = { profile, bootedAtMs, nowMs: this.#clock.now() }
    await this.#logMutex.run(partition, () =>
      printk(this.memory, cpu === undefined ? time : { ...time, cpu }, lines),
    )
  }

  /** Seconds since 1970. */
  get nowSeconds(): number {
    return Math.floor(this.#clock.now() / 1000)
  }
}
