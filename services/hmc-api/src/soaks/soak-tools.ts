/**
 * What soaks are carried out with: the operations of a machine room. The console has them at hand; whoever drives a room
 * from outside goes through the console's REST API for the same (scripts/lab/soak/containers).
 */
import type {
  collectorRoutes,
  HmcJob,
  hypervisorRoutes,
  lparKernelRoutes,
  SoakBaseLevel,
  SoakCrash,
  SoakFaultCount,
  SoakMemorySample,
} from '@fadump-lab/shared/contracts'
import type { Client } from '@fadump-lab/shared/http'
import type { EventLog } from '@fadump-lab/shared/queue'
import type { Clock } from '@fadump-lab/shared/runtime'
import type { Logger } from '@fadump-lab/shared/telemetry'
import type { RoomFaults } from '../faults/room-faults.ts'
import type { Operations } from '../jobs/operations.ts'

type Hypervisor = Client<typeof hypervisorRoutes>
type Kernel = Client<typeof lparKernelRoutes>
type Collector = Client<typeof collectorRoutes>
/** An order whose answer nobody reads. */
type Order<Call extends (request: never) => unknown> = (
  request: Parameters<Call>[0],
) => Promise<unknown>

export interface SoakDeps {
  readonly hypervisor: Pick<
    Hypervisor,
    | 'createFrame'
    | 'deleteFrame'
    | 'createPartition'
    | 'getPartition'
    | 'deletePartition'
    | 'changeBootSettings'
  > & {
    readonly powerOffPartition: Order<Hypervisor['powerOffPartition']>
    readonly systemReset: Order<Hypervisor['systemReset']>
    readonly killPartition: Order<Hypervisor['killPartition']>
    readonly migratePartition: Order<Hypervisor['migratePartition']>
  }
  readonly kernel: Pick<
    Kernel,
    'readFile' | 'writeFile' | 'readProc' | 'runWorkload' | 'rehearse'
  > & { readonly crash: Order<Kernel['crash']> }
  readonly collector: Pick<
    Collector,
    'listDumps' | 'deleteDump' | 'getDumpManifest' | 'downloadVmcore'
  >
  readonly events: Pick<EventLog, 'append' | 'follow'>
  readonly clock: Clock
  readonly logger: Pick<Logger, 'error'>
}

export interface SoakTools {
  readonly deps: SoakDeps
  readonly jobs: {
    /** The job once it is over; `undefined` at once when the partition has to tell, because consoles forget jobs. */
    ended(id: string): Promise<HmcJob | undefined>
  }
  readonly operations: Operations
  readonly faults: Pick<RoomFaults, 'arm' | 'list' | 'disarm'>
  /** Measures one soak. */
  readonly levels: () => Levels
  /** What strikes the machine room from outside; absent: nothing does. */
  readonly outside?: OutsideFaults
}

/** What the machine room takes and holds: looked at before and while it is soaked, and compared in the end. */
export interface Levels {
  begin(): Promise<void>
  /** Until `signal` aborts. */
  watch(elapsed: () => number, signal: AbortSignal): Promise<void>
  readonly samples: readonly SoakMemorySample[]
  /** `kept`: dumps that are left on purpose. */
  compare(kept: number): Promise<SoakBaseLevel[]>
}

/**
 * What strikes from outside, beside the faults of the registry. While it does, answers get lost, so that an order may have
 * been carried out twice and rows of the event log may be missing; what was crashed, preserved and stored still adds up.
 */
export interface OutsideFaults {
  /** Strikes until `signal` aborts; everything is up again when it resolves. */
  run(elapsed: () => number, signal: AbortSignal): Promise<void>
  /** Names of what was struck between two moments of the soak, in milliseconds since it began. */
  between(fromMs: number, toMs: number): readonly string[]
  /** Whether the memory of all partitions was lost in that time. */
  lostMemory(fromMs: number, toMs: number): boolean
  /** All that has struck, with what became of the crashes that were under way. */
  counts(crashes: readonly SoakCrash[]): readonly SoakFaultCount[]
  /** What was asked for and never struck, in sentences. */
  silent(): readonly string[]
  /** What the event log has told up to now has been handed on when it resolves. */
  caughtUp(): Promise<void>
}
