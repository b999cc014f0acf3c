/** Rehearsals, and the memory of a capture kernel, over HTTP. */
import {
  Problem,
  refusedDescription,
  type lparKernelRoutes,
  type Partition,
  type RehearsalReply,
  type RehearsalRequest,
} from '@fadump-lab/shared/contracts'
import { rehearse, type CaptureSystem } from '@fadump-lab/shared/capture-memory'
import { appendBootArguments } from '@fadump-lab/shared/fadump'
import type { Handlers } from '@fadump-lab/shared/http'
import { MiB, rangeLength } from '@fadump-lab/shared/units'
import { readParameterArea } from '../boot/parameter-area.ts'
import type { KernelHost } from '../kernel/kernel-host.ts'
import { profileOf } from '../kernel/kernel-record.ts'
import type { RunningKernel } from '../kernel/running-kernel.ts'
import { lifeOf, toDescription } from './capture-record.ts'
import { describeCapture } from './describe-capture.ts'
import { bootOf, windowBytes } from './transfer.ts'

type Names = 'rehearse' | 'readCaptureMemory'

export function captureMemoryHandlers(
  host: KernelHost,
): Pick<Handlers<typeof lparKernelRoutes>, Names> {
  return {
    rehearse: async ({ params: { partition }, body, correlationId }) => {
      const kernel = await host.running(partition, correlationId)
      const asked = await kernel.firmware.partition()
      return rehearsalOf(await systemOf(host, kernel, { partition: asked, change: body }))
    },
    readCaptureMemory: async ({ params: { partition } }) => {
      const kernel = await host.running(partition)
      const { capture, fadump, pageSize } = kernel.record
      if (capture === undefined) {
        throw new Problem(
          'wrong-state',
          `the kernel of partition ${partition} is no capture kernel; POST a rehearsal, or crash it first`,
          { extensions: { state: kernel.record.boot } },
        )
      }
      const life = lifeOf(capture)
      if (!fadump.isDumpActive) life.through('done')
      const { pages, reservePages } = life
      return {
        pageBytes: Number(pageSize),
        bootPages: pages.total,
        reservePages,
        freePages: pages.free,
        owners: [...pages.owners],
        windows: host.windows.use(bootOf(kernel)),
        ...capture,
      }
    },
  }
}

/** What a capture boot of `kernel`'s partition would find, apart from what `change` says. */
async function systemOf(
  host: KernelHost,
  kernel: RunningKernel,
  { partition, change }: { readonly partition: Partition; readonly change: RehearsalRequest },
): Promise<CaptureSystem> {
  const { record } = kernel
  const { fadump, memoryRegions } = record
  if (!fadump.isEnabled) {
    throw new Problem(
      'wrong-state',
      `the kernel of partition ${partition.id} has reserved nothing, so there is no capture kernel to rehearse; boot it with fadump=on`,
      { extensions: { state: partition.state } },
    )
  }
  const profile = profileOf(record)
  const { bootMemoryMiB, captureTarget, capture } = change
  const described = describeCapture({
    partition: {
      ...partition,
      ...(captureTarget === undefined ? {} : { captureTarget }),
      ...(capture === undefined ? {} : { capture }),
    },
    memoryBytes: memoryRegions.reduce((sum, region) => sum + rangeLength(region), 0n),
    bootMemoryBytes: fadump.bootMemorySize,
    ...(bootMemoryMiB === undefined ? {} : { bootMemoryMiB }),
    pageBytes: profile.pageSize,
    commandLine: await commandLineOf(kernel, partition, change.appendedArguments),
    nrCpusMax: profile.nrCpus,
    windowMiB: (host.streamWindows * windowBytes) / Number(MiB),
  })
  if (described.isAccepted) return described.system
  throw refusedDescription(`partition ${partition.id}`, described)
}

/** The first kernel's own area, or what the request says instead; a capture kernel has appended it already. */
async function commandLineOf(
  { record, memory }: RunningKernel,
  { bootArguments }: Partition,
  asked: string | undefined,
): Promise<string> {
  const { parameterArea } = record.fadump
  const base = record.boot === 'capture' ? record.commandLine : bootArguments
  if (asked !== undefined) return `${base} ${asked}`
  if (record.boot === 'capture' || parameterArea === undefined) return base
  return appendBootArguments(base, await readParameterArea(memory, parameterArea)).commandLine
}

/** The verdict of the model; agreed with by the allocations on real pages, or it is a defect of this program. */
function rehearsalOf(system: CaptureSystem): RehearsalReply {
  const told = rehearse(system)
  const { account, failure, fix, fixes, warnings, topConsumers, ...figures } = told
  const words = ({ setting, costMiB, isComfortable }: (typeof fixes)[number]) => ({
    setting,
    costMiB,
    isComfortable,
  })
  return {
    ...figures,
    system: toDescription(system),
    topConsumers: [...topConsumers],
    warnings: [...warnings],
    phases: account.map(({ consumers, ...phase }) => ({ ...phase, consumers: [...consumers] })),
    fixes: fixes.map(words),
    ...(fix === undefined ? {} : { fix: words(fix) }),
    ...(failure === undefined
      ? {}
      : {
          failure: {
            kind: failure.kind,
            phase: failure.phase,
            consumer: failure.consumer,
            victim: failure.victim,
            order: failure.order,
          },
        }),
  }
}
