/**
 * What memory was when each partition crashed. It is looked at in the store at that instant, page by page, and what must
 * be in it follows from the seed; nothing of it ever comes through the crash path, which it is to judge.
 */
import { partitionSpace, records, type LabEvent } from '@fadump-lab/shared/contracts'
import { remembering, type Clock } from '@fadump-lab/shared/runtime'
import type { SpaceId } from '@fadump-lab/shared/store'
import { fromAscii, realAddress } from '@fadump-lab/shared/units'
import { z } from 'zod'
import type { Content } from './disk-content.ts'
import type { SimulatedMemory, Snapshot } from './memory.ts'
import { differenceOf, type Hole } from './vmcore-check.ts'
import type { ExpectedNotes } from './vmcore-notes.ts'

/** What firmware's record says that the oracle has to know. */
const firmwareFacts = z.object({
  id: z.string(),
  state: z.string(),
  registration: z.string(),
  pendingDump: z.string().optional(),
  profile: z.enum(['v5', 'modern']),
  lastFailure: z.string().optional(),
})
export type FirmwareFacts = z.output<typeof firmwareFacts>

const kernelFacts = z.object({
  profile: z.enum(['v5', 'modern']),
  processors: z.int(),
  offlineCpus: z.array(z.int()),
  memoryRegions: z.array(z.object({ start: z.string(), end: z.string() })),
  kexecs: z.int(),
  kexec: z.unknown().optional(),
  isHalted: z.boolean(),
  fadump: z.object({
    area: z.object({ start: z.string(), end: z.string() }).optional(),
  }),
})

export interface KnownCrash {
  readonly partition: string
  readonly dump: string
  readonly memory: Snapshot
  /**
   * What the kernel had set aside for the dump: no vmcore has it. `undefined` when that is not known: a kexec has brought
   * up another kernel than the one whose registration firmware has.
   */
  readonly reserved: { readonly start: number; readonly end: number } | undefined
  /** What was planted in that boot, and where. */
  readonly planted: ReadonlyMap<number, string>
  readonly notes: ExpectedNotes
}

export interface KnownBoot {
  readonly epoch: number
  readonly kexecs: number
  readonly isHalted: boolean
}

/** Below the end of boot memory and above every kernel; and above both, outside of what is set aside. */
const lowPlace = 0x0c00_0000
const highPlaces = { v5: 0x1800_0000, modern: 0x3000_0000 } as const

/** The last words of a kernel to firmware; whatever else firmware says, it has acted without the kernel. */
const lastWords = 'OS panic: '

/** Every planted text begins so; it must be found in dumps and nowhere else. */
export const canary = 'canary-'

/** What is written is read again by whoever looks next. */
const rememberedMax = 64
export const firmwareOf: (text: string) => FirmwareFacts = remembering(rememberedMax, (text) =>
  firmwareFacts.parse(JSON.parse(text)),
)

export interface OracleEvents {
  /** Firmware begins to preserve the memory of a partition. */
  readonly onCrash: (partition: string, dump: string) => void
  /** Firmware is about to give up what it has preserved; its record then says why, if it is for a reason of its own. */
  readonly onParting: (partition: string, dump: string, reason: string | undefined) => void
}

export interface TimeOfDay {
  readonly clock: Pick<Clock, 'now'>
  /** Whether the clocks of services can be wrong. */
  readonly canJump: boolean
}

export class Oracle {
  readonly crashes = new Map<string, KnownCrash>()
  readonly #memory: SimulatedMemory
  /** By partition: what is planted in the present boot. */
  readonly #planted = new Map<string, Map<number, string>>()
  /** By partition: what its kernel has told of its last crash. */
  readonly #causes = new Map<string, unknown>()
  /** Partitions whose firmware has been told to dump something else than it should. */
  readonly #faulty = new Set<string>()
  readonly #time: TimeOfDay

  constructor(memory: SimulatedMemory, events: OracleEvents, time: TimeOfDay) {
    this.#memory = memory
    this.#time = time
    memory.onFirmware = (space, change, beforeText) => {
      const next = change.records?.[records.firmware]
      if (next === undefined || next === null || beforeText === undefined) return undefined
      const before = firmwareOf(beforeText)
      const facts = firmwareOf(next)
      const { pendingDump } = facts
      const { pendingDump: parted } = before
      if (parted !== undefined && parted !== pendingDump)
        events.onParting(facts.id, parted, this.#reasonOf(before, facts))
      if (pendingDump === undefined || pendingDump === before.pendingDump) {
        if (change.nextEpoch === true) this.#forget(facts.id)
        return undefined
      }
      // From the commit on no kernel of the partition can write any more.
      return async () => {
        await this.#crashed(space, facts)
        events.onCrash(facts.id, pendingDump)
      }
    }
  }

  onEvent({ aggregate, event, subject, detail }: LabEvent): void {
    if (aggregate === 'kernel' && event === 'crashed') this.#causes.set(subject, detail?.['cause'])
    if (aggregate === 'partition' && event === 'terminate') this.#terminated(detail)
  }

  /** Firmware alone has ended a kernel that had told of a crash, and was not through with it. */
  #terminated({ dump, message }: NonNullable<LabEvent['detail']> = {}): void {
    const crash = typeof dump === 'string' ? this.crashes.get(dump) : undefined
    if (crash === undefined || String(message).startsWith(lastWords)) return
    this.crashes.set(crash.dump, { ...crash, notes: { ...crash.notes, cpus: undefined } })
  }

  /** What firmware of `partition` dumps may have too few CPUs, or be rejected. */
  distrust(partition: string): void {
    this.#faulty.add(partition)
  }

  /** Nothing is known any more. */
  close(): void {
    this.crashes.clear()
    this.#planted.clear()
  }

  /** Memory is gone, and what was planted in it. */
  forget(): void {
    this.#planted.clear()
  }

  /** Firmware's view of a partition; `undefined` when memory does not hold it. */
  async firmware(partition: string): Promise<FirmwareFacts | undefined> {
    const space = partitionSpace('server-1', partition)
    const found = await this.#memory.present
      .readRecord(space, records.firmware)
      .catch(() => undefined)
    return found?.value === undefined ? undefined : firmwareOf(found.value)
  }

  /** The boot that firmware is in, and the kernel that is or was up there; `undefined` when there is none. */
  async boot(partition: string): Promise<KnownBoot | undefined> {
    const space = partitionSpace('server-1', partition)
    const found = await this.#memory.present
      .readRecord(space, records.kernel)
      .catch(() => undefined)
    if (found?.value === undefined) return undefined
    const { isHalted, kexecs } = kernelFacts.parse(JSON.parse(found.value))
    return { epoch: found.epoch, kexecs, isHalted }
  }

  /** Writes `text` to two places of a running partition, as its own software would. Gives whether it could. */
  async plant(partition: string, text: string): Promise<boolean> {
    const facts = await this.firmware(partition)
    if (facts?.state !== 'running' || facts.registration === 'active') return false
    const store = this.#memory.present
    const space = partitionSpace('server-1', partition)
    const { epoch } = await store.readRecord(space, records.firmware)
    const planted = this.#planted.get(partition) ?? new Map<number, string>()
    const { value } = await store.readRecord(space, records.kernel)
    if (value === undefined) return false
    const { memoryRegions } = kernelFacts.parse(JSON.parse(value))
    const isMemory = (place: number) =>
      memoryRegions.some(({ start, end }) => Number(start) <= place && place < Number(end))
    for (const place of [lowPlace, highPlaces[facts.profile]].filter(isMemory)) {
      const write = { address: realAddress(place), bytes: fromAscii(text) }
      await store.write(space, write, epoch)
      planted.set(place, text)
    }
    this.#planted.set(partition, planted)
    return true
  }

  /** What is wrong with a vmcore of `dump`; `undefined` when nothing is. `missing`: not to be looked at. */
  difference(dump: string, vmcore: Content, missing: readonly Hole[]): string | undefined {
    const crash = this.crashes.get(dump)
    if (crash === undefined) return `nothing has crashed as ${dump}`
    return differenceOf(crash, vmcore, missing)
  }

  async #crashed(space: SpaceId, { id, pendingDump }: FirmwareFacts): Promise<void> {
    if (pendingDump === undefined) return
    const { value } = await this.#memory.present.readRecord(space, records.kernel)
    this.crashes.set(pendingDump, {
      partition: id,
      dump: pendingDump,
      memory: await this.#memory.snapshot(space),
      reserved: value === undefined ? undefined : reservedBy(value),
      planted: this.#planted.get(id) ?? new Map(),
      notes: {
        cpus: value === undefined || this.#faulty.has(id) ? undefined : this.#cpusOf(id, value),
        crashedAtMs: this.#time.canJump ? undefined : this.#time.clock.now(),
      },
    })
    this.#forget(id)
  }

  #forget(partition: string): void {
    this.#planted.delete(partition)
    this.#causes.delete(partition)
  }

  /** Why firmware has nothing to keep, as far as its own record tells that. */
  #reasonOf(
    before: FirmwareFacts,
    { id, state, lastFailure = '' }: FirmwareFacts,
  ): string | undefined {
    // QEMU ends a partition whose kernel has given up, and what it had preserved with it.
    if (lastFailure.includes('guest panicked')) return lastFailure
    const isRejected = before.state === 'capture-starting' && state === 'starting'
    return isRejected && this.#faulty.has(id) ? 'its kernel has rejected it' : undefined
  }

  /** How many CPUs the notes must tell of (C060); `undefined` when that is not known. */
  #cpusOf(partition: string, kernel: string): number | undefined {
    const { profile, processors, offlineCpus, kexec, kexecs } = kernelFacts.parse(
      JSON.parse(kernel),
    )
    if (kexecs > 0 || kexec !== undefined) return undefined
    const cause = this.#causes.get(partition)
    // A partition that was killed from outside has told nothing: no CPU of it knew. One that takes a system reset may be
    // dumped by firmware before it has come to tell anything.
    if (cause === undefined || cause === 'system-reset') return undefined
    // `panic` of 3.4 takes all other CPUs offline before firmware is told.
    if (profile === 'v5' && (cause === 'panic' || cause === 'hard-lockup')) return 1
    return processors - offlineCpus.filter((cpu) => cpu < processors).length
  }
}

function reservedBy(kernel: string): KnownCrash['reserved'] {
  const { fadump, kexec, kexecs } = kernelFacts.parse(JSON.parse(kernel))
  if (kexecs > 0 || kexec !== undefined) return undefined
  return { start: Number(fadump.area?.start ?? 0), end: Number(fadump.area?.end ?? 0) }
}
