/**
 * The life of a capture kernel in its boot memory: the allocations of each phase, executed on real pages until one does
 * not fit. Whether it fits is found out here, page by page; why, and what to do, is told by the model of the same system.
 */
import {
  allocate,
  allocationSteps,
  consumers,
  phaseNames,
  type AllocationStep,
  type CaptureSystem,
  type Phase,
} from '@fadump-lab/shared/capture-memory'
import { BootPages } from './boot-pages.ts'

/** Where memory ended. */
export interface Shortage {
  readonly phase: Phase
  /** Whose pages did not fit. */
  readonly consumer: string
  readonly pages: number
  /** The root file system was full before memory was. */
  readonly isRootfsFull: boolean
}

export interface PhaseUse {
  readonly phase: Phase
  readonly usedPages: number
  readonly freePages: number
}

const otherProcess = 'another process'
const rootfsOwner = 'unpacked initramfs'
/** What a process can have of others: the page cache gives way. */
const reclaimable = 'page cache'
/** Taken before the kernel counts its memory: not in MemTotal. */
const reservedOwners = consumers.filter(({ isReserved }) => isReserved === true)
const imageOwner = 'initramfs image'

export class CaptureLife {
  readonly system: CaptureSystem
  readonly pages: BootPages
  readonly reservePages: number
  readonly timeline: PhaseUse[] = []
  #shortage: Shortage | undefined
  /** Whether the OOM killer has taken the other process, and the dump went on. */
  #hasKilledOther = false
  readonly #steps: readonly AllocationStep[]
  readonly #rootfsWanted: number

  constructor(system: CaptureSystem) {
    const { bootPages, reservePages, rootfsWanted } = allocate(system)
    this.system = system
    this.pages = new BootPages(bootPages)
    this.reservePages = reservePages
    this.#steps = allocationSteps(system)
    this.#rootfsWanted = rootfsWanted
  }

  get shortage(): Shortage | undefined {
    return this.#shortage
  }

  get hasKilledOther(): boolean {
    return this.#hasKilledOther
  }

  /** The last phase that was entered. */
  get phase(): Phase | undefined {
    return this.timeline.at(-1)?.phase
  }

  /** MemTotal in pages. */
  get managedPages(): number {
    const reserved = reservedOwners.reduce((sum, { name }) => sum + this.pages.heldBy(name), 0)
    return this.pages.total - reserved
  }

  /** Lives on to the end of `last`, or until memory ends. Phases that were entered are not entered again. */
  through(last: Phase): Shortage | undefined {
    const end = phaseNames.indexOf(last)
    for (
      let index = this.timeline.length;
      index <= end && this.#shortage === undefined;
      index += 1
    ) {
      const phase = phaseNames[index]
      if (phase !== undefined) this.#enter(phase)
    }
    return this.#shortage
  }

  /** Pages that the kernel of this host really uses, counted when the phase `kernel` has not taken as many. */
  countOwn(pages: number): void {
    const held = this.pages.total - this.pages.free
    if (pages > held) this.pages.take('kernel of this host', pages - held)
  }

  #enter(phase: Phase): void {
    for (const { consumer, pages } of this.#steps.filter((step) => step.phase === phase)) {
      if (pages < 0) this.pages.give(consumer)
      else if (!this.#take(phase, consumer, pages)) break
    }
    if (phase === 'transfer' && this.#shortage === undefined) this.#growOther()
    const { free, total } = this.pages
    this.timeline.push({ phase, usedPages: total - free, freePages: free })
  }

  #take(phase: Phase, consumer: string, pages: number): boolean {
    const isRootfsFull = consumer === rootfsOwner && this.#rootfsWanted > this.#rootfsBound()
    const fits = this.pages.free - pages >= this.reservePages && this.pages.take(consumer, pages)
    if (fits && !isRootfsFull) return true
    this.#shortage = { phase, consumer, pages, isRootfsFull: fits && isRootfsFull }
    return false
  }

  /** `shmem_default_max_blocks`: a share of what was there when it was mounted; ramfs has no bound. */
  #rootfsBound(): number {
    if (this.system.rootfsPercent === 100) return Infinity
    const there = this.managedPages - this.pages.heldBy(imageOwner)
    return Math.max(0, Math.floor((there * this.system.rootfsPercent) / 100))
  }

  /** Another process grows while the dump is under way: the page cache gives way, then the OOM killer takes it. */
  #growOther(): void {
    const { otherProcessMiB, pageKiB, panicOnOom } = this.system
    const wanted = Math.ceil((otherProcessMiB * 1024) / pageKiB)
    if (wanted === 0) return
    const cache = this.pages.heldBy(reclaimable)
    if (this.pages.free + cache - wanted >= this.reservePages) {
      const missing = wanted + this.reservePages - this.pages.free
      if (missing > 0) {
        this.pages.give(reclaimable)
        this.pages.take(reclaimable, cache - missing)
      }
      this.pages.take(otherProcess, wanted)
      return
    }
    if (!panicOnOom) {
      this.#hasKilledOther = true
      return
    }
    this.#shortage = {
      phase: 'transfer',
      consumer: otherProcess,
      pages: wanted,
      isRootfsFull: false,
    }
  }
}
