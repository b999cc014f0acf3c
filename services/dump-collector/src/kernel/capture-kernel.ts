/** The capture kernel of one partition, as the collector sees it: a manifest, a vmcore, a file to write `1` to. */
import {
  flattenedMedia,
  lparKernelRoutes,
  isProblem,
  Problem,
  type CaptureJob,
} from '@fadump-lab/shared/contracts'
import { createClient, type Fetch, type StreamedReply } from '@fadump-lab/shared/http'
import { bearer, dumpToken, dumpTokenHeader } from '@fadump-lab/shared/identity'

/** How a kernel is reached, and what it is shown. */
export interface KernelTools {
  readonly fetch?: Fetch
  readonly secret: string
  readonly dumpKey: string
}

export interface CaptureKernel {
  readManifest(signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>
  /** The flattened stream without what lies before `from`. */
  readVmcore(from: bigint, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>
  release(signal: AbortSignal): Promise<void>
}

/**
 * Every call names the boot that announced the dump, so that a later dump of the same partition is never taken for
 * this one, least of all by `release`. Errors of every call: `Problem`.
 */
export function captureKernel(job: CaptureJob, tools: KernelTools): CaptureKernel {
  const { fetch } = tools
  const client = createClient(lparKernelRoutes, {
    baseUrl: hostOf(job),
    authorize: (route) => ({
      ...bearer(tools.secret)(route),
      [dumpTokenHeader]: dumpToken(tools.dumpKey, job),
    }),
    ...(fetch === undefined ? {} : { fetch }),
  })
  const params = { partition: job.partition }
  const common = { params, correlationId: job.correlationId }
  const query = { epoch: job.epoch }
  return {
    readManifest: async (signal) =>
      (await client.readVmcoreManifest({ ...common, signal, query })).body,
    readVmcore: async (from, signal) => {
      const headers = { accept: flattenedMedia }
      const asked = { ...query, from: from.toString() }
      return flattenedBody(await client.readVmcore({ ...common, signal, headers, query: asked }))
    },
    release: (signal) => client.releaseDump({ ...common, signal, query, body: '1' }),
  }
}

/** Whether `error` says that the dump is not there any more: nothing that is asked again can succeed. */
export function isGone(error: unknown): error is Problem {
  if (isProblem(error, 'errno')) return error.extensions['errno'] === 'ENOENT'
  return isProblem(error, 'not-found', 'stale-boot', 'wrong-state')
}

/** A URL of another form leads to a route that the host does not have, and so to `not-found`. */
function hostOf(job: CaptureJob): string {
  const suffix = `/partitions/${job.partition}`
  const url = job.partitionUrl
  return url.endsWith(suffix) ? url.slice(0, -suffix.length) : url
}

function flattenedBody(reply: StreamedReply): AsyncIterable<Uint8Array> {
  const media = reply.headers.get('content-type') ?? 'nothing'
  if (media.split(';', 1)[0] === flattenedMedia) return reply.body
  throw new Problem(
    'dependency-unavailable',
    `/proc/vmcore was sent as ${media}; asked for was ${flattenedMedia}`,
  )
}
