/** The kernel's operations over HTTP. */
import { elfMedia, flattenedMedia, type lparKernelRoutes } from '@fadump-lab/shared/contracts'
import { contentRange, parseRange, type Handlers, type ReplyControl } from '@fadump-lab/shared/http'
import type { Background } from './background.ts'
import { defaultSettings } from './config.ts'
import type { KernelHost } from './kernel/kernel-host.ts'
import { crashPartition, shutdownPartition, systemReset } from './panic/crash-requests.ts'
import { guarded } from './refusals.ts'
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

export function kernelHandlers(host: KernelHost, background: Background): KernelHandlers {
  const windows = (host.deps.config ?? defaultSettings).streamWindows
  const open = async (partition: string, epoch: number | undefined) =>
    openVmcore(host.deps, await host.running(partition, undefined, epoch))
  const options: StreamOptions = {
    windows,
    count: (bytes) => host.deps.metrics.count('fadump_vmcore_sent_bytes_total', {}, bytes),
  }
  const handlers: KernelHandlers = {
    readFile: ({ params, correlationId }) =>
      readSysfs(host, { partition: params.partition, path: params['*'], correlationId }),
    writeFile: async ({ params, query: { epoch }, correlationId, body: text }) => {
      const { partition } = params
      await writeSysfs(host, { partition, path: params['*'], correlationId, epoch, text })
      return undefined
    },
    readProc: async ({ params }) => readProcFile(await host.running(params.partition), params.file),
    readVmcore: async ({ params, query, header }, reply) => {
      const vmcore = await open(params.partition, query.epoch)
      if (header('accept')?.includes(flattenedMedia) === true) {
        reply.header('content-type', flattenedMedia)
        return flattenedStream(vmcore, BigInt(query.from), options)
      }
      return plainReply(vmcore, header('range'), { reply, options })
    },
    readVmcoreManifest: async ({ params, query }) =>
      manifestStream(await open(params.partition, query.epoch), windows),
    crash: async ({ params: { partition }, body, correlationId }) => {
      await crashPartition(host, { partition, correlationId, ...body })
      return undefined
    },
    systemResetInterrupt: async ({ params: { partition }, body: { epoch }, correlationId }) => {
      const proceed = await systemReset(host, { partition, epoch, correlationId })
      background.run(`system reset of ${partition}`, proceed)
      return undefined
    },
    shutdown: async ({ params: { partition }, body: { action }, correlationId }) => {
      await shutdownPartition(host, { partition, action, correlationId })
      return undefined
    },
  }
  return guarded(handlers)
}

/** The file or one range of it; holes are sent as zeros. */
function plainReply(
  vmcore: OpenVmcore,
  rangeHeader: string | undefined,
  { reply, options }: { readonly reply: ReplyControl; readonly options: StreamOptions },
): AsyncIterable<Uint8Array> {
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
  return plainStream(vmcore, { from: start, to: end }, options)
}
