/** The kernel's operations over HTTP. */
import { elfMedia, flattenedMedia, type lparKernelRoutes } from '@fadump-lab/shared/contracts'
import {
  contentRange,
  parseRange,
  refusing,
  type Handlers,
  type ReplyControl,
} from '@fadump-lab/shared/http'
import type { DumpClaim } from '@fadump-lab/shared/identity'
import { captureMemoryHandlers } from './capture-memory/handlers.ts'
import {
  requireCollector,
  requireRoom,
  transferred,
  withinMemory,
} from './capture-memory/transfer.ts'
import type { KernelHost } from './kernel/kernel-host.ts'
import { runWorkload } from './memory/workload.ts'
import { crashPartition } from './panic/crash-requests.ts'
import { shutdownPartition } from './panic/shutdown.ts'
import type { SystemResets } from './panic/system-resets.ts'
import { readSysfs, writeSysfs } from './sysfs/access.ts'
import { readProcFile } from './sysfs/proc-files.ts'
import { openVmcore, type OpenVmcore } from './vmcore/open-vmcore.ts'
import {
  flattenedStream,
  manifestStream,
  plainStream,
  type StreamOptions,
} from './vmcore/streams.ts'

type KernelHandlers = Handlers<typeof lparKernelRoutes>

export function kernelHandlers(host: KernelHost, systemResets: SystemResets): KernelHandlers {
  const windows = host.streamWindows
  const open = async (partition: string, epoch: number | undefined) => {
    const kernel = await host.running(partition, undefined, epoch)
    requireCollector(kernel)
    requireRoom(host, kernel)
    return openVmcore(host.deps, kernel)
  }
  const options: StreamOptions = {
    windows,
    count: (bytes) => host.deps.metrics.count('fadump_vmcore_sent_bytes_total', {}, bytes),
  }
  const handlers: KernelHandlers = {
    ...captureMemoryHandlers(host),
    readFile: ({ params, correlationId }) =>
      readSysfs(host, { partition: params.partition, path: params['*'], correlationId }),
    writeFile: async ({ params, query: { epoch }, correlationId, body: text }) => {
      const { partition } = params
      await writeSysfs(host, { partition, path: params['*'], correlationId, epoch, text })
      return undefined
    },
    releaseDump: async ({ params, query: { epoch }, correlationId, body: text }) => {
      const path = 'kernel/fadump_release_mem'
      await writeSysfs(host, { ...params, path, correlationId, epoch, text })
      return undefined
    },
    readProc: async ({ params }) =>
      readProcFile(host, await host.running(params.partition), params.file),
    readVmcore: async ({ params, query, header }, reply) => {
      const vmcore = await open(params.partition, query.epoch)
      if (header('accept')?.includes(flattenedMedia) === true) {
        reply.header('content-type', flattenedMedia)
        return transferred(host, vmcore, () => flattenedStream(vmcore, BigInt(query.from), options))
      }
      return transferred(host, vmcore, plainReply(vmcore, header('range'), { reply, options }))
    },
    readVmcoreManifest: async ({ params, query }) => {
      const vmcore = await open(params.partition, query.epoch)
      return withinMemory(host, vmcore, () => manifestStream(vmcore, windows))
    },
    crash: async ({ params: { partition }, query: { epoch }, body, correlationId }) => {
      await crashPartition(host, { partition, correlationId, epoch, ...body })
      return undefined
    },
    runWorkload: async ({ params: { partition }, body, correlationId }) =>
      runWorkload(await host.running(partition, correlationId), body),
    systemResetInterrupt: async ({ params: { partition }, body, correlationId }) => {
      await systemResets.take({ partition, correlationId, ...body })
      return undefined
    },
    shutdown: async ({ params: { partition }, body, correlationId }) => {
      await shutdownPartition(host, { partition, correlationId, ...body })
      return undefined
    },
  }
  return refusing(handlers)
}

/**
 * Whether a dump token is for what the partition's kernel presents. A kernel that presents nothing may be asked: it says
 * so itself. Errors: `not-found`, `wrong-state`, `stale-boot`.
 */
export async function presents(
  host: KernelHost,
  partition: string,
  { dump, epoch }: DumpClaim,
): Promise<boolean> {
  const { vmcore } = (await host.running(partition, undefined, epoch)).record
  return vmcore === undefined || vmcore.dump === dump
}

/** The file or one range of it; holes are sent as zeros. */
function plainReply(
  vmcore: OpenVmcore,
  rangeHeader: string | undefined,
  { reply, options }: { readonly reply: ReplyControl; readonly options: StreamOptions },
): () => AsyncIterable<Uint8Array> {
  const { size } = vmcore.plan
  const range = parseRange(rangeHeader, size)
  const { start, end } = range ?? { start: 0n, end: size }
  reply.header('content-type', elfMedia)
  reply.header('accept-ranges', 'bytes')
  reply.header('content-length', `${end - start}`)
  if (range !== undefined) {
    reply.status(206)
    reply.header('content-range', contentRange(range, size))
  }
  return () => plainStream(vmcore, { from: start, to: end }, options)
}
