/** The store that holds partition memory: the heap one, which can lose everything or not answer for a while. */
import { records } from '@fadump-lab/shared/contracts'
import {
  createHeapMemoryStore,
  pageSize,
  StoreError,
  type MemoryChange,
  type MemoryStore,
  type SpaceId,
} from '@fadump-lab/shared/store'
import { memoryRange, realAddress } from '@fadump-lab/shared/units'

/** Pages by number (address / 64 KiB). */
export type Snapshot = ReadonlyMap<number, Uint8Array>

/** What it gives is done when the commit has been carried out, before anybody knows. */
export type CommitObserver = (
  space: SpaceId,
  change: MemoryChange,
  before: string | undefined,
) => (() => Promise<void>) | undefined

const prefix = 'partition/'

export class SimulatedMemory {
  #store: MemoryStore = createHeapMemoryStore()
  #isDown = false
  /** Told before a commit that sets the firmware record of a partition is carried out, with the record as it is. */
  onFirmware: CommitObserver = () => undefined

  /** As others see it. */
  readonly port: MemoryStore = new Proxy(this.#store, {
    get: (_first, key) => {
      const value: unknown = Reflect.get(this.#store, key, this.#store)
      if (typeof value !== 'function' || typeof key !== 'string') return value
      return async (...args: unknown[]) => {
        this.#checkUp()
        const observed =
          key === 'commit' ? await this.#observe(args as [SpaceId, MemoryChange]) : undefined
        const result: unknown = await Reflect.apply(value, this.#store, args)
        await observed?.()
        return result
      }
    },
  })

  /** Whatever happens to the store: what lies in it now. */
  get present(): MemoryStore {
    return this.#store
  }

  lose(): void {
    this.#store = createHeapMemoryStore()
  }

  set isDown(isDown: boolean) {
    this.#isDown = isDown
  }

  /** Every page that is there; empty when the space is not. */
  async snapshot(space: SpaceId): Promise<Snapshot> {
    const pages = new Map<number, Uint8Array>()
    const found = await this.#store.describe(space)
    if (found === undefined) return pages
    const all = memoryRange(0n, found.size)
    let next = all.start as bigint | undefined
    while (next !== undefined) {
      const part = await this.#store.populated(space, memoryRange(next, all.end), 1024)
      for (const { start, end } of part.ranges) {
        for (let at: bigint = start; at < end; at += BigInt(pageSize)) {
          const bytes = await this.#store.read(space, realAddress(at), pageSize)
          pages.set(Number(at / BigInt(pageSize)), bytes)
        }
      }
      next = part.next
    }
    return pages
  }

  #checkUp(): void {
    if (this.#isDown) throw new StoreError('unavailable', 'the store does not answer')
  }

  async #observe([space, change]: [SpaceId, MemoryChange]): Promise<ReturnType<CommitObserver>> {
    if (change.records?.[records.firmware] === undefined) return undefined
    if (!space.space.startsWith(prefix)) return undefined
    const before = await this.#store.readRecord(space, records.firmware).catch(() => undefined)
    return this.onFirmware(space, change, before?.value)
  }
}
