/**
 * Power: activate, restart, power off. Each is one commit. What a boot owes the kernel hosts (the `ipl` job) follows
 * from the state, see boot/owed-work.ts.
 */
import { imageSpace, type Partition } from '@fadump-lab/shared/contracts'
import type { MemoryChange } from '@fadump-lab/shared/store'
import { memoryRange } from '@fadump-lab/shared/units'
import { personalityOf } from '../fadump/firmware-dump.ts'
import type { FirmwareRecord } from './firmware-record.ts'
import { moved, registrationTransition, type Transition } from './lifecycle.ts'
import type { Partitions, Step } from './partitions.ts'

type Fresh = Pick<MemoryChange, 'clears' | 'cloneFrom' | 'nextEpoch'>

export async function activate(
  partitions: Partitions,
  id: string,
  correlationId: string,
): Promise<Partition> {
  const { partition } = await partitions.update(id, correlationId, ({ record }) => {
    const { record: starting, transition } = moved(record, 'activate')
    return firstBoot({ ...starting, correlationId }, [transition])
  })
  return partition
}

/** Immediate restart, never a dump. A dump that waits, or is being captured, is presented again. */
export async function restart(
  partitions: Partitions,
  id: string,
  correlationId: string,
): Promise<Partition> {
  const { partition } = await partitions.update(id, correlationId, ({ record }) =>
    restartStep({ ...record, correlationId }),
  )
  return partition
}

/** The step of a restart, whoever asks for it: the console, or the kernel by `system-reboot`. */
export function restartStep(record: FirmwareRecord): Step<undefined> {
  const event =
    record.pendingDump !== undefined && (record.state === 'terminated' || record.state === 'error')
      ? 'captureRestart'
      : 'restart'
  const { record: next, transition } = moved(record, event)
  return next.state === 'capture-starting'
    ? {
        result: undefined,
        record: withoutBoot(next),
        memory: { nextEpoch: true },
        vcpus: null,
        ...tcesOverReset(next),
        transitions: [transition],
      }
    : firstBoot(next, [transition], personalityOf(record).keepsRegistrationOverRestart)
}

/** Immediate power off: memory, registration and a pending dump are lost, and the event says so. */
export async function powerOff(
  partitions: Partitions,
  id: string,
  correlationId: string,
): Promise<Partition> {
  const { partition } = await partitions.update(id, correlationId, ({ record }) =>
    powerOffStep({ ...record, correlationId }),
  )
  return partition
}

export function powerOffStep(record: FirmwareRecord): Step<undefined> {
  const lost = record.pendingDump
  const { record: off, transition } = moved(
    record,
    'powerOff',
    lost === undefined ? undefined : { lostDump: lost },
  )
  const { record: bare, transitions } = withoutRegistration(off)
  return {
    result: undefined,
    record: withoutBoot(bare),
    memory: { clears: [wholeMemory(record)], nextEpoch: true },
    vcpus: null,
    tces: null,
    transitions: [transition, ...transitions],
  }
}

/** A boot of a first kernel: memory is cleared or comes from the image; PHYP forgets what was registered. */
function firstBoot(
  record: FirmwareRecord,
  transitions: readonly Transition[],
  keepsRegistration = false,
): Step<undefined> {
  const { record: bare, transitions: dropped } =
    keepsRegistration && record.registration === 'registered'
      ? { record, transitions: [] }
      : withoutRegistration(record)
  return {
    result: undefined,
    record: withoutBoot(bare),
    memory: freshMemory(record),
    vcpus: null,
    ...tcesOverReset(record),
    transitions: [...transitions, ...dropped],
  }
}

/** Translation control entries stay for the next kernel, which clears them (Linux: "in case firmware left allocations"). */
function tcesOverReset(record: FirmwareRecord): { readonly tces?: null } {
  return personalityOf(record).keepsTcesOverReset ? {} : { tces: null }
}

function freshMemory(record: FirmwareRecord): Fresh {
  return record.image === undefined
    ? { clears: [wholeMemory(record)], nextEpoch: true }
    : { cloneFrom: imageSpace(record.frame, record.image), nextEpoch: true }
}

function wholeMemory(record: FirmwareRecord) {
  return memoryRange(0n, record.maximumMemoryBytes ?? record.memoryBytes)
}

/** PHYP drops a registration when a partition boots or goes off; a dump that waits goes with the power. */
function withoutRegistration(record: FirmwareRecord): {
  readonly record: FirmwareRecord
  readonly transitions: readonly Transition[]
} {
  const { dumpStructure: _structure, pendingDump, ...rest } = record
  const event = record.registration === 'active' ? 'discard' : 'disable'
  const dropped: readonly Transition[] =
    pendingDump === undefined ? [] : [{ aggregate: 'dump', event: 'lost', subject: pendingDump }]
  return {
    record: { ...rest, registration: 'idle' },
    transitions: [...registrationTransition(record.registration, 'idle', event), ...dropped],
  }
}

/** Facts of the boot that ends. */
function withoutBoot(record: FirmwareRecord): FirmwareRecord {
  const { partitionUrl: _url, lastFailure: _failure, ...rest } = record
  return rest
}
