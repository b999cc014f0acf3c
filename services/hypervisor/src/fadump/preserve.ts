/**
 * Preserve: what firmware does with a partition's memory between the crash and the capture boot (spec §7.1).
 *
 * Everything is one commit: the copies, the areas that firmware fills, the results in the dump memory structure and the
 * new state. Whoever dies before it has changed nothing, and whoever repeats it afterwards finds another state.
 */
import {
  encodeDumpMemoryStructure,
  planPreserve,
  writeHpteSaveArea,
  writeRegisterSaveArea,
  type PreservePlan,
  type SectionAction,
  type SectionOutcome,
} from '@fadump-lab/shared/fadump'
import { StoreError, type MemoryCopy, type MemoryWrite } from '@fadump-lab/shared/store'
import { failSpan, traced, type Span } from '@fadump-lab/shared/telemetry'
import { invariant, type ByteLength } from '@fadump-lab/shared/units'
import type { HypervisorContext } from '../deps.ts'
import { faultyPlan, spoilRegisterSaveArea, Strikes } from '../faults/faulty-dump.ts'
import { decodeTceTable, encodeTceTable, withDmaInFlight } from '../io/tce-table.ts'
import type { FirmwareRecord } from '../partition/firmware-record.ts'
import { moved, registrationTransition } from '../partition/lifecycle.ts'
import type { Partitions, Step } from '../partition/partitions.ts'
import { readRecord } from '../partition/vcpu-access.ts'
import { decodeVcpus } from '../partition/vcpus.ts'
import { dumpStructureOf, personalityOf, producedSizes } from './firmware-dump.ts'

/** Preserves the partition if it is `dumping`; anything else is left as it is. */
export async function preserve(
  given: { readonly deps: HypervisorContext; readonly partitions: Partitions },
  id: string,
): Promise<void> {
  const { deps, partitions } = given
  const started = deps.clock.now()
  const result = await traced(
    { name: 'preserve', kind: 'internal', attributes: () => ({ 'fadump.partition': id }) },
    (span) => preserveOnce({ deps, partitions, span }, id),
  )
  if (result === 'preserved') {
    deps.metrics.observe('fadump_preserve_seconds', (deps.clock.now() - started) / 1000)
  }
}

async function preserveOnce(
  given: {
    readonly deps: HypervisorContext
    readonly partitions: Partitions
    readonly span: Span
  },
  id: string,
): Promise<Outcome> {
  const { deps, partitions, span } = given
  const { result } = await partitions
    .update(id, undefined, async (held): Promise<Step<Outcome>> => {
      if (held.record.state !== 'dumping') return { result: 'nothing to preserve' }
      const vcpus = await readRecord(deps, held, 'vcpus')
      const tces = await readRecord(deps, held, 'tces')
      return { ...preserveStep(held.record, vcpus), ...tcesAfterReset(held.record, tces) }
    })
    .catch((error: unknown) => failPreserve(partitions, id, error))
  span.setAttribute('fadump.preserve.outcome', result)
  if (result === 'failed') failSpan(span, 'preserve-failed')
  return result
}

type Outcome = 'preserved' | 'failed' | 'nothing to preserve'

function preserveStep(record: FirmwareRecord, vcpus: string | undefined): Step<Outcome> {
  const structure = dumpStructureOf(record)
  invariant(structure !== undefined, `partition ${record.id} dumps without a registered structure`)
  const personality = personalityOf(record)
  const strikes = new Strikes(record)
  const rules = planPreserve({
    structure,
    partitionSize: record.memoryBytes,
    ...producedSizes(record),
    personality,
  })
  const plan = faultyPlan(rules, strikes, personality.keepsErrorStatus)
  const actions = actionsOf(plan, strikes, vcpus)
  const { record: next, transition } = moved(strikes.record, 'preserved', {
    sections: plan.outcomes.length,
    failedSections: plan.outcomes.filter((outcome) => outcome.errorFlags !== 0).length,
    bytesDumped: Number(plan.outcomes.reduce((sum, outcome) => sum + outcome.bytesDumped, 0n)),
  })
  return {
    result: 'preserved',
    record: {
      ...next,
      ...(next.pendingDump === undefined ? {} : { lastDump: next.pendingDump }),
      registration: 'active',
      dumpStructure: encodeDumpMemoryStructure(plan.structure),
    },
    memory: { ...actions, nextEpoch: true },
    transitions: [
      ...strikes.transitions,
      transition,
      ...registrationTransition(record.registration, 'active', 'preserved'),
    ],
  }
}

/**
 * The reset that follows a crash leaves the translation control entries as they are, or clears them (QEMU). The adapter has
 * lost its own state unless a fault says otherwise; what it had been given is kept for that.
 */
function tcesAfterReset(
  record: FirmwareRecord,
  tces: string | undefined,
): { readonly tces?: string | null } {
  if (tces === undefined) return {}
  const table = withDmaInFlight(decodeTceTable(tces))
  const entries = personalityOf(record).keepsTcesOverReset
    ? table.entries
    : new Map<number, bigint>()
  return { tces: encodeTceTable({ ...table, entries }) }
}

function actionsOf(
  plan: PreservePlan,
  strikes: Strikes,
  vcpus: string | undefined,
): { readonly copies: MemoryCopy[]; readonly writes: MemoryWrite[] } {
  const copies: MemoryCopy[] = []
  const writes: MemoryWrite[] = []
  for (const { action, index } of plan.outcomes) {
    if (action.kind === 'copy') copies.push(action)
    else if (action.kind !== 'none') {
      const bytes = areaOf(action, strikes, vcpus)
      const left = beforeLaterCopies(action, plan.outcomes.slice(index + 1))
      writes.push({ address: action.target, bytes: bytes.subarray(0, left) })
    }
  }
  return { copies, writes }
}

/**
 * Sections are processed in their order, and a commit writes after it copies. An area that is larger than its section (only
 * QEMU writes one) reaches into the next section, whose copy then overwrites what is too much: so many bytes stay.
 */
function beforeLaterCopies(
  { target, length }: { readonly target: bigint; readonly length: bigint },
  later: readonly SectionOutcome[],
): number {
  const ends = later.flatMap(({ action }) =>
    action.kind === 'copy' && action.target > target && action.target < target + length
      ? [action.target - target]
      : [],
  )
  return Number(ends.reduce((least, end) => (end < least ? end : least), length))
}

function areaOf(
  action: Extract<SectionAction, { kind: 'write-cpu-state' | 'write-hpte' }>,
  strikes: Strikes,
  vcpus: string | undefined,
): Uint8Array {
  return action.kind === 'write-hpte'
    ? writeHpteSaveArea([], action.length)
    : cpuStateArea(action.length, strikes, vcpus)
}

/** Under PAPR only the CPUs that were online when the dump began (C052). */
function cpuStateArea(length: ByteLength, strikes: Strikes, vcpus: string | undefined): Uint8Array {
  const { record } = strikes
  const personality = personalityOf(record)
  const saved = decodeVcpus(vcpus, record).filter(
    (vcpu) => vcpu.online || personality.savesCpus === 'all',
  )
  const area = writeRegisterSaveArea(saved, length, personality)
  spoilRegisterSaveArea(area, strikes)
  return area
}

/** A preserve that can never succeed ends the dump; one that may is thrown on, to be repeated. */
async function failPreserve(
  partitions: Partitions,
  id: string,
  error: unknown,
): Promise<{ readonly result: Outcome }> {
  const isFinal =
    error instanceof StoreError && (error.code === 'too-large' || error.code === 'out-of-range')
  if (!isFinal) throw error
  return partitions.update(id, undefined, ({ record }): Step<Outcome> => {
    if (record.state !== 'dumping') return { result: 'nothing to preserve' }
    const failure = `the dump could not be preserved: ${error.message}`
    const { record: next, transition } = moved(record, 'preserveFailed', { failure })
    const { dumpStructure: _structure, pendingDump, ...rest } = next
    return {
      result: 'failed',
      record: { ...rest, registration: 'idle', lastFailure: failure.slice(0, lastFailureMax) },
      transitions: [
        transition,
        ...registrationTransition(record.registration, 'idle', 'preserveFailed'),
        ...(pendingDump === undefined
          ? []
          : [
              {
                aggregate: 'dump' as const,
                event: 'lost',
                subject: pendingDump,
                detail: { failure },
              },
            ]),
      ],
    }
  })
}

/** Bound of `lastFailure` in the contract. */
const lastFailureMax = 1024
