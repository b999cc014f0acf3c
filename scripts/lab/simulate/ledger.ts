/** What is known of every crash from the outside: what was done to its partition, and what services have told of it. */
import type { LabEvent } from '@fadump-lab/shared/contracts'
import type { Clock } from '@fadump-lab/shared/runtime'
import type { KnownBoot } from './oracle.ts'

export interface DumpRecord {
  readonly dump: string
  readonly partition: string
  /** Why its memory may be given up, if it may: somebody has asked for it, or the kernel says that nothing can be had. */
  givenUpFor?: string
  /** What was told of it last. */
  told?: string
  isRemoved?: boolean
  isRotten?: boolean
  isPinned?: boolean
  /** Firmware has refused to let go, and kernels do not tell: whoever asked believes that it is released. */
  isRefused?: boolean
}

/** Words of kernels after which no vmcore comes. */
const kernelEnds = new Set(['dumpRejected', 'dumpUnreadable', 'dumpLost', 'captureFailed'])

/** Longer than anybody waits for an answer. */
const requestMsMax = 130_000

/** Whether a byte of a vmcore will be looked at before its dump is complete; else a scrub does, if anybody. */
export type IsToBeVerified = (dump: string, offset: number) => boolean

export class Ledger {
  readonly #clock: Pick<Clock, 'now'>
  readonly #isToBeVerified: IsToBeVerified
  /** What an operator has asked for last of each partition. */
  readonly #requests = new Map<string, { readonly reason: string; readonly until: number }>()
  readonly dumps = new Map<string, DumpRecord>()
  /** The dump that a partition's firmware has at present. */
  readonly #pending = new Map<string, DumpRecord>()

  /** By partition: the boot in which the console has said that it resets it. */
  readonly resets = new Map<string, KnownBoot>()

  constructor(clock: Pick<Clock, 'now'>, isToBeVerified: IsToBeVerified) {
    this.#clock = clock
    this.#isToBeVerified = isToBeVerified
  }

  pendingOf(partition: string): DumpRecord | undefined {
    return this.#pending.get(partition)
  }

  /**
   * An operator, or a fault that takes memory away: from now on the dump of `partition` may go, also one that comes while
   * the request is on its way.
   */
  mayGo(partition: string, reason: string): void {
    this.#requests.set(partition, { reason, until: this.#clock.now() + requestMsMax })
    const pending = this.#pending.get(partition)
    if (pending !== undefined) pending.givenUpFor ??= reason
  }

  /** Firmware has begun to preserve. */
  crashed(partition: string, dump: string): void {
    const request = this.#requests.get(partition)
    const isOnItsWay = request !== undefined && this.#clock.now() < request.until
    const record: DumpRecord = {
      dump,
      partition,
      ...(isOnItsWay ? { givenUpFor: request.reason } : {}),
    }
    this.dumps.set(dump, record)
    this.#pending.set(partition, record)
  }

  /** Firmware holds the memory of `dump` no more. */
  parted(partition: string, dump: string): void {
    if (this.#pending.get(partition)?.dump === dump) this.#pending.delete(partition)
  }

  onEvent(event: LabEvent): void {
    if (event.event === 'fault-struck') this.#struck(event)
    else if (event.aggregate === 'kernel') this.#kernel(event.subject, event.event)
    else if (event.aggregate === 'dump') this.#dump(event)
  }

  #struck({ detail, subject }: LabEvent): void {
    const what = String(detail?.['what'])
    const pending = this.#pending.get(subject)
    if (detail?.['fault'] === 'invalidate-status' && pending !== undefined) pending.isRefused = true
    if (detail?.['fault'] === 'bit-rot') this.#rotten(what, Number(detail['value']))
    const untold = /^append (\w+)$/.exec(what)?.[1]
    if (untold !== undefined) this.#kernel(String(detail?.['partition']), untold)
  }

  /** A disk that has changed by itself, when nobody looks at it any more, is nobody's lie. */
  #rotten(what: string, offset: number): void {
    for (const record of this.dumps.values()) {
      const isMeant = what.includes(record.dump)
      if (isMeant && !this.#isToBeVerified(record.dump, offset)) record.isRotten = true
    }
  }

  #kernel(partition: string, event: string): void {
    const pending = this.#pending.get(partition)
    if (pending !== undefined && kernelEnds.has(event)) pending.givenUpFor ??= event
  }

  #dump({ event, subject, service, detail }: LabEvent): void {
    const record = this.dumps.get(subject)
    if (record === undefined) return
    const reason = detail?.['reason'] ?? detail?.['failure'] ?? ''
    record.told = `${service} ${event} ${String(reason)}`.trim()
    if (service === 'dump-collector' && event === 'evicted') record.isRemoved = true
  }
}
