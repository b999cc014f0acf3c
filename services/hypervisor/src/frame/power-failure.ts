/**
 * The memory of a frame is lost while the hypervisor goes on: Redis has lost its power, and with it what was RAM. As in
 * a machine, the partitions are still defined and all are off; dumps that waited in memory are gone, and it is said so.
 */
import { partitionMachine } from '@fadump-lab/shared/contracts'
import { KeyedMutex } from '@fadump-lab/shared/runtime'
import type { HypervisorContext } from '../deps.ts'
import { appendTransitions } from '../events.ts'
import type { Images } from '../images/images.ts'
import type { FirmwareRecord } from '../partition/firmware-record.ts'
import type { Transition } from '../partition/lifecycle.ts'
import type { Partitions } from '../partition/partitions.ts'
import { powerOffStep } from '../partition/power.ts'
import type { Frames } from './frames.ts'

const correlationIdBytes = 8

export interface Affected {
  readonly frames: Frames
  readonly partitions: Partitions
  readonly images: Images
  /** Makes the space of a partition; one that is there already is fine. */
  readonly makeSpace: (record: FirmwareRecord) => Promise<void>
}

export class PowerFailures {
  readonly #deps: HypervisorContext
  readonly #affected: Affected
  readonly #mutex = new KeyedMutex()

  constructor(deps: HypervisorContext, affected: Affected) {
    this.#deps = deps
    this.#affected = affected
  }

  /** Looks at every frame, so that a loss is noticed though nobody asks for a partition. */
  async look(): Promise<void> {
    for (const frame of this.#affected.frames.ids) await this.recover(frame)
  }

  /**
   * Nothing when the frame's memory is there. Otherwise its partitions are made again, powered off, and last of all the
   * frame's own space: a process that dies before begins again.
   */
  recover(frame: string): Promise<void> {
    return this.#mutex.run(frame, async () => {
      const { frames, partitions, images, makeSpace } = this.#affected
      if (!frames.ids.includes(frame) || (await frames.isKept(frame))) return
      const correlationId = this.#deps.random.hex(correlationIdBytes)
      const transition = { aggregate: 'frame', event: 'powerFailure' } as const
      await appendTransitions(this.#deps, [transition], { subject: frame, correlationId })
      images.forget(frame)
      for (const record of partitions.lastKnown(frame)) {
        const { off, transitions } = afterPowerFailure(record, frame)
        await makeSpace(off)
        partitions.add(off)
        await appendTransitions(this.#deps, transitions, { subject: record.id, correlationId })
      }
      await frames.make(frame)
    })
  }
}

/** A partition that was off has lost nothing. */
function afterPowerFailure(
  record: FirmwareRecord,
  frame: string,
): { readonly off: FirmwareRecord; readonly transitions: readonly Transition[] } {
  if (partitionMachine.next(record.state, 'powerOff') === undefined) {
    return { off: record, transitions: [] }
  }
  const cause = `the memory of frame ${frame} was lost, as by a power failure`
  const { record: off = record, transitions = [] } = powerOffStep(record)
  return {
    off: { ...off, lastFailure: cause },
    transitions: transitions.map((row) =>
      row.aggregate === 'registration' ? row : { ...row, detail: { ...row.detail, cause } },
    ),
  }
}
