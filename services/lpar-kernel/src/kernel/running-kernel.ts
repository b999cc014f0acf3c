/** A kernel that is up, as one request deals with it: its record, its memory, its firmware. */
import { Problem } from '@fadump-lab/shared/contracts'
import type { Clock, KeyedMutex } from '@fadump-lab/shared/runtime'
import type { Epoch, MemoryStore, MemoryWrite, SpaceId } from '@fadump-lab/shared/store'
import type { FirmwareClient } from '../firmware/firmware-client.ts'
import { PartitionMemory } from '../memory/partition-memory.ts'
import { printk, type Line } from './kernel-log.ts'
import {
  loadKernelRecord,
  saveKernelRecord,
  type KernelRecord,
  type LoadedKernel,
} from './kernel-record.ts'

/** Attempts against other hosts that change the record. */
const amendAttemptsMax = 16
/** After 5 s a crash that another host has begun is over, or that host has died in it. */
const crashLooks = 50
const crashLookMs = 100

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

  /** Changes the record, and memory with it; `false` when another host was faster or the boot is over. */
  async update(
    change: Partial<KernelRecord>,
    writes: readonly MemoryWrite[] = [],
  ): Promise<boolean> {
    const loaded = this.#loaded
    const next = { ...loaded.record, ...change }
    const saved = await saveKernelRecord(this.#store, this.space, { loaded, next, writes })
    if (saved === undefined) return false
    this.#loaded = saved
    return true
  }

  updateFadump(
    change: Partial<KernelRecord['fadump']>,
    writes: readonly MemoryWrite[] = [],
  ): Promise<boolean> {
    return this.update({ fadump: { ...this.record.fadump, ...change } }, writes)
  }

  amendFadump(change: Partial<KernelRecord['fadump']>): Promise<boolean> {
    return this.amend(({ fadump }) => ({ fadump: { ...fadump, ...change } }))
  }

  /** As `update`, on top of what other hosts have changed meanwhile; `false` when the boot is over. Errors: `conflict`. */
  async amend(change: (record: KernelRecord) => Partial<KernelRecord>): Promise<boolean> {
    for (let attempt = 1; attempt <= amendAttemptsMax; attempt += 1) {
      if (await this.update(change(this.record))) return true
      if (!(await this.#look())) return false
    }
    const { partition } = this.record
    throw new Problem('conflict', `other hosts go on changing partition ${partition}; try again`)
  }

  /** Waits while another host crashes the kernel, unless that host seems to be dead; `false` when the boot is over. */
  async untilNoneCrashes(): Promise<boolean> {
    for (let looks = 0; this.record.isCrashing && looks < crashLooks; looks += 1) {
      await this.#clock.sleep(crashLookMs)
      if (!(await this.#look())) return false
    }
    return true
  }

  /** Takes the record as it is now; `false` when the boot is over. */
  async #look(): Promise<boolean> {
    const loaded = await loadKernelRecord(this.#store, this.space)
    if (loaded === undefined || loaded.record.epoch !== this.record.epoch) return false
    this.#loaded = loaded
    return true
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

  /** Busy waiting. */
  async sleep(ms: number): Promise<void> {
    if (ms > 0) await this.#clock.sleep(ms)
  }

  /** Seconds since 1970. */
  get nowSeconds(): number {
    return Math.floor(this.#clock.now() / 1000)
  }
}
