/**
 * System reset from the console (operator panel function 22). The kernel gets interrupt 0x100 on every CPU and dies by
 * itself; when no kernel answers in time, firmware acts alone: it dumps what is registered, or just restarts (C026).
 */
import {
  lparKernelRoutes,
  partitionMachine,
  type Partition,
  type PartitionState,
} from '@fadump-lab/shared/contracts'
import { createClient } from '@fadump-lab/shared/http'
import { bearer } from '@fadump-lab/shared/identity'
import type { HypervisorContext } from '../deps.ts'
import { personalityOf } from '../fadump/firmware-dump.ts'
import { dumpStep } from '../rtas/os-term.ts'
import { afterSystemReset } from './automatic-dump.ts'
import { wrongState } from './lifecycle.ts'
import type { Held, Partitions, Step } from './partitions.ts'
import { restartStep } from './power.ts'

/** Wherever a restart is possible. */
const resettableStates: readonly PartitionState[] = partitionMachine.states.filter(
  (state) =>
    partitionMachine.next(state, 'restart') !== undefined ||
    partitionMachine.next(state, 'captureRestart') !== undefined,
)

/** Errors: `not-found`, `wrong-state`. */
export async function systemReset(
  given: { readonly deps: HypervisorContext; readonly partitions: Partitions },
  id: string,
  correlationId: string,
): Promise<Partition> {
  const { deps, partitions } = given
  const held = await partitions.read(id)
  requireResettable(held)
  const isTaken = await kernelAccepts(deps, held, correlationId)
  const { partition } = await partitions.update(id, correlationId, (now) => {
    if (isTaken) {
      const interlockMs = deps.config.systemResetTimeoutMs
      return afterSystemReset(now, { epoch: held.epoch, now: deps.clock.now(), interlockMs })
    }
    return now.epoch === held.epoch
      ? firmwareAlone(now, { correlationId, message: noKernel })
      : { result: undefined }
  })
  return partition
}

/** The interrupt is delivered without holding the partition: the kernel calls back while it dies. */
async function kernelAccepts(
  deps: HypervisorContext,
  held: Held,
  correlationId: string,
): Promise<boolean> {
  const { id, partitionUrl } = held.record
  if (partitionUrl === undefined) return false
  const baseUrl = partitionUrl.replace(/\/partitions\/[^/]*$/, '')
  const kernel = createClient(lparKernelRoutes, {
    baseUrl,
    authorize: bearer(deps.identity.secret),
    ...(deps.fetch === undefined ? {} : { fetch: deps.fetch }),
  })
  const timeout = new AbortController()
  using _timer = deps.clock.schedule(deps.config.systemResetTimeoutMs, () => timeout.abort())
  try {
    await kernel.systemResetInterrupt({
      params: { partition: id },
      body: { epoch: held.epoch },
      signal: timeout.signal,
      correlationId,
    })
    return true
  } catch (error) {
    deps.logger.warn({ err: error, partition: id }, 'no kernel took the system reset')
    return false
  }
}

const noKernel = 'system reset; no kernel answered'

/** What firmware does without the kernel: dump what is registered, or restart. Errors: `wrong-state`. */
export function firmwareAlone(
  held: Held,
  given: { readonly correlationId: string; readonly message: string },
): Step<undefined> {
  requireResettable(held)
  const record = { ...held.record, correlationId: given.correlationId }
  return record.registration === 'registered' && personalityOf(record).dumpsAlone
    ? dumpStep(record, given.message)
    : restartStep(record)
}

/** Errors: `wrong-state`. */
export function requireResettable({ record }: Held): void {
  if (!resettableStates.includes(record.state)) {
    throw wrongState(record, 'a system reset', resettableStates)
  }
}
