/**
 * System reset exception 0x100: taken for a kernel by one host, carried out by whichever lives.
 *
 * Firmware that has heard that a kernel takes the exception, and has its `ibm,nmi-interlock`, does nothing more. So the answer is
 * given when the exception is a job: a host that dies with it leaves it to another one.
 */
import { Problem, systemResetQueue, type SystemResetJob } from '@fadump-lab/shared/contracts'
import { withinDeadline } from '@fadump-lab/shared/runtime'
import type { Background } from '../background.ts'
import { takeSystemReset } from '../firmware/nmi.ts'
import type { KernelHost } from '../kernel/kernel-host.ts'
import { onlineCpus, type KernelRecord } from '../kernel/kernel-record.ts'
import { isStaleBoot } from '../kernel/stale-boot.ts'
import { crashingCpuOf } from './crash.ts'
import { tellAndCrash, type PartitionRequest } from './crash-requests.ts'

/** Kernels that one process brings down at the same time. */
const atOnceMax = 256
/** Firmware waits longer for its answer: without a queue this host alone carries it out. */
const queueTimeoutMs = 1_000

export interface SystemResetRequest extends PartitionRequest {
  readonly epoch: number
  /** The CPUs that take it. Default: all that are online. */
  readonly cpus?: readonly number[] | undefined
}

export class SystemResets implements AsyncDisposable {
  readonly #host: KernelHost
  readonly #background: Background
  #worker: AsyncDisposable | undefined

  constructor(host: KernelHost, background: Background) {
    this.#host = host
    this.#background = background
  }

  async start(): Promise<void> {
    const { queues, logger } = this.#host.deps
    this.#worker = await queues
      .open(systemResetQueue)
      .work(({ payload }) => carryOut(this.#host, payload), {
        concurrency: atOnceMax,
        onFailed: ({ id }, cause) =>
          logger.error({ err: cause, job: id }, 'a system reset was given up'),
      })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker?.[Symbol.asyncDispose]()
  }

  /** Of all hosts. */
  async unfinished(): Promise<number> {
    const { waiting, active, delayed } = await this.#host.deps.queues
      .open(systemResetQueue)
      .counts()
    return waiting + active + delayed
  }

  /**
   * Answers as soon as it is known that a kernel of that boot is up; what the exception leads to goes on behind. Errors:
   * `stale-boot`, `not-found`, `wrong-state`, `invalid-configuration` when none of `cpus` is online.
   */
  async take({ partition, correlationId, epoch, cpus }: SystemResetRequest): Promise<void> {
    const { clock, queues, logger } = this.#host.deps
    const { record } = await this.#host.running(partition, correlationId, epoch)
    requireReached(record, cpus)
    const job: SystemResetJob = {
      frame: record.frame,
      partition,
      epoch,
      correlationId,
      ...(cpus === undefined ? {} : { cpus: [...cpus] }),
    }
    const adding = queues.open(systemResetQueue).add(jobIdOf(job), job)
    try {
      await withinDeadline(adding, { clock, timeoutMs: queueTimeoutMs, what: 'the queue' })
    } catch (error) {
      logger.warn({ err: error, partition }, 'a system reset is carried out here or not at all')
      this.#background.run(`system reset of ${partition}`, () => carryOut(this.#host, job))
    }
  }
}

/** Boots count from the start again after a power failure, so the order is part of it. */
function jobIdOf({ partition, epoch, correlationId }: SystemResetJob): string {
  return `${partition}-${epoch}-${correlationId}`
}

/** Nothing, when its boot is over: so it can be run again. */
async function carryOut(host: KernelHost, job: SystemResetJob): Promise<void> {
  try {
    await host.crashMutex.run(job.partition, () => dieOf(host, job))
  } catch (error) {
    if (!isStaleBoot(error)) throw error
  }
}

async function dieOf(host: KernelHost, job: SystemResetJob): Promise<void> {
  const { partition, epoch, cpus, correlationId } = job
  const kernel = await host.find(partition, correlationId)
  if (kernel === undefined || kernel.memory.epoch !== epoch) return
  if ((await takeSystemReset(kernel)) === 'debugger') return
  const reached = onlineCpus(kernel.record).filter((cpu) => cpus?.includes(cpu) !== false)
  const first = crashingCpuOf(kernel.record, undefined)
  const cpu = reached.includes(first) ? first : (reached[0] ?? first)
  await tellAndCrash(host, kernel, { cause: 'system-reset', cpu, reached })
}

/** Errors: `invalid-configuration`. */
function requireReached(record: KernelRecord, cpus: readonly number[] | undefined): void {
  const online = onlineCpus(record)
  if (cpus === undefined || online.some((cpu) => cpus.includes(cpu))) return
  throw new Problem(
    'invalid-configuration',
    `none of the CPUs ${cpus.join(', ')} of partition ${record.partition} is online; those are ${online.join(', ')}`,
  )
}
