/** One crash on its way: what its scenario and its checks know of each other. */
import type { HmcJob, Partition, SoakCheck } from '@fadump-lab/shared/contracts'
import type { ArmedFault, FaultOutcome } from './armed-fault.ts'
import type { Hands, PartitionChange } from './hands.ts'
import type { CrashStory } from './moments.ts'
import { check } from './oracle/memory-oracle.ts'
import type { PlannedCrash } from './plan.ts'

/** What has to come of the crash. `either`: decided by a race that the scenario makes. */
export interface Expected {
  outcome: 'dump' | 'no dump' | 'either'
  /** Why there is none to come. */
  reason?: string
  /** The state in which the partition ends. */
  endState: 'running' | 'not-activated'
  /** NT_PRSTATUS notes in the vmcore. */
  cpuNotes: number
  /** What the log in the vmcore must have. */
  texts: string[]
  /** Whether the console's job may fail although the dump comes: it gives up at the first failure that it sees. */
  jobMayFail?: boolean
  /** Whether the notes of CPUs say nothing: firmware is faulty. */
  anyCpuNotes?: boolean
  /** Whether rows of the event log can be missing. */
  anyEvents?: boolean
  /** Crashes that follow by themselves, each with its dump. */
  moreCrashes: number
}

export class Stage {
  readonly crash: PlannedCrash
  readonly hands: Hands
  readonly story: CrashStory
  readonly expected: Expected
  readonly checks: SoakCheck[] = []
  /** What user space has written, page by page: the memory that a dump is compared with. */
  readonly written = new Map<bigint, number>()
  /** What it was writing when the crash came. */
  next: { readonly seed: number; readonly pages: readonly bigint[] } | undefined
  /** The partition as it was when its crash was ordered. */
  #before: Partition | undefined
  /** The console's job, for crashes that have one. */
  job: HmcJob | undefined
  /** The fault of this crash, while it is armed, and what it did. */
  armed: ArmedFault | undefined
  fault: FaultOutcome | undefined
  /** Whether the memory of all partitions has been lost since this one was begun. */
  readonly lostMemory: () => boolean
  /** Why a capture came to a stop that an operator ended. */
  stoppedBy: string | undefined
  /** What struck from outside while it was under way. */
  readonly disturbances: string[] = []
  /** Whether something may. */
  readonly isDisturbed: boolean
  /** Dumps of this partition that were there before. */
  readonly earlierDumps = new Set<string>()
  /** Whether a dump is of this partition, once it is at rest: what others of its name had before can be told of late. */
  isOfPartition: (dump: string) => boolean = () => true
  /** The parameter area, the only memory of the kernel above its image. */
  kernelPages: bigint[] = []
  /** What the kernel said of its reservation before the crash. */
  reserved: { readonly start: bigint; readonly end: bigint } | undefined

  constructor(given: {
    readonly crash: PlannedCrash
    readonly hands: Hands
    readonly story: CrashStory
    readonly expected: Expected
    readonly isDisturbed: boolean
    readonly lostMemory: () => boolean
  }) {
    this.crash = given.crash
    this.hands = given.hands
    this.story = given.story
    this.expected = given.expected
    this.isDisturbed = given.isDisturbed
    this.lostMemory = given.lostMemory
  }

  get before(): Partition {
    if (this.#before === undefined) throw new Error('the crash has not been ordered yet')
    return this.#before
  }

  set before(partition: Partition) {
    this.#before = partition
  }

  /** A dump of this crash, or of one that followed it. */
  isOwn(dump: string): boolean {
    return !this.earlierDumps.has(dump) && this.isOfPartition(dump)
  }

  /** Adds a comparison to those of the crash. */
  check(name: string, passed: boolean, detail: string): void {
    this.checks.push(check(name, passed, detail))
  }

  /** User space writes all its pages for `seed`. */
  async write(seed: number): Promise<void> {
    const pages = await this.hands.workload(seed, this.crash.partition.pages)
    for (const page of pages) this.written.set(page, seed)
  }
}

/** What a scenario does; what it leaves out is done as for any crash. */
export interface ScenarioSteps {
  /** What its partition has otherwise. One that was changed is made anew for the next crash. */
  readonly change?: (crash: PlannedCrash) => PartitionChange
  /** Before the order to crash; may change what is expected. */
  readonly prepare?: (stage: Stage) => Promise<void>
  /** The crash itself, until its outcome is there. */
  readonly crash?: (stage: Stage) => Promise<void>
  /** When the partition has come to rest. */
  readonly after?: (stage: Stage) => Promise<void>
  /** Whether the partition can crash again as it is. Default: unless `change` is there. */
  readonly spoils?: boolean
}
