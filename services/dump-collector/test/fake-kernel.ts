/**
 * A capture kernel as far as a collector sees one: `/proc/vmcore`, its manifest and `fadump_release_mem`, served from
 * a sparse vmcore in memory. It keeps a list of what it was asked and misbehaves on request.
 */
import { createHash } from 'node:crypto'
import {
  lparKernelRoutes,
  Problem,
  type CaptureJob,
  type ProblemSlug,
} from '@fadump-lab/shared/contracts'
import { flattenedEnd, flattenedHeader, flattenedRecord } from '@fadump-lab/shared/elf'
import { createApp, listen, serveRoutes } from '@fadump-lab/shared/http'
import { createGuard, signedCaptureJob } from '@fadump-lab/shared/identity'
import { createHeapEventLog } from '@fadump-lab/shared/queue'
import { systemClock } from '@fadump-lab/shared/runtime'
import { createLogger, createMetrics } from '@fadump-lab/shared/telemetry'
import { testKeys } from '../../../test/support/keys.ts'

/** Bytes of the file by ascending offset; everything between is a hole. */
export interface SparseVmcore {
  readonly sizeBytes: number
  readonly parts: readonly { readonly offset: number; readonly bytes: Uint8Array }[]
}

export const partBytes = 64 * 1024

export interface VmcoreOptions {
  readonly pages?: readonly number[]
  readonly pageBytes?: number
  /** 64 pages unless told otherwise. */
  readonly sizeBytes?: number
  readonly seed?: number
}

/** Pages at the given page numbers, filled by number and `seed`. */
export function aVmcore(options: VmcoreOptions = {}): SparseVmcore {
  const { pages = [0, 1, 2, 9, 10, 40], pageBytes = partBytes, seed = 1 } = options
  const parts = pages.map((page) => ({
    offset: page * pageBytes,
    bytes: new Uint8Array(pageBytes).map((_, index) => ((index * 31) ^ (page * 7 + seed)) & 0xff),
  }))
  return { sizeBytes: options.sizeBytes ?? 64 * pageBytes, parts }
}

/** What a plain copy of the file would hold. */
export function wholeFile(vmcore: SparseVmcore): Uint8Array {
  const file = new Uint8Array(vmcore.sizeBytes)
  for (const { offset, bytes } of vmcore.parts) file.set(bytes, offset)
  return file
}

export function manifestOf(vmcore: SparseVmcore): string {
  const digest = createHash('sha256')
  const lines = vmcore.parts.map(({ offset, bytes }) => {
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    digest.update(`${offset} ${bytes.byteLength} ${sha256}\n`)
    return JSON.stringify({ offset, length: bytes.byteLength, sha256 })
  })
  const header = JSON.stringify({ format: 'vmcore-manifest-1', size: vmcore.sizeBytes })
  const trailer = JSON.stringify({ entries: lines.length, digest: digest.digest('hex') })
  return `${[header, ...lines, trailer].join('\n')}\n`
}

/** The honest flattened stream, in chunks. */
export function* flattened(vmcore: SparseVmcore, from: number): Generator<Uint8Array> {
  yield flattenedHeader()
  for (const { offset, bytes } of vmcore.parts) {
    const skipped = Math.max(0, from - offset)
    if (skipped >= bytes.byteLength) continue
    yield flattenedRecord(BigInt(offset + skipped), bytes.byteLength - skipped)
    yield bytes.subarray(skipped)
  }
  yield flattenedEnd()
}

export type Chunks = Iterable<Uint8Array> | AsyncIterable<Uint8Array>

/** What a test puts in the place of an honest answer; by default every answer is honest. */
export interface Behaviour {
  vmcore: (from: number, request: number) => Chunks
  manifest: (request: number) => Chunks
  release: (request: number) => Promise<void> | void
}

export interface FakeKernel extends AsyncDisposable {
  readonly job: CaptureJob
  readonly url: string
  /** Every request in order: `manifest`, `vmcore <from>`, `release <body>`. */
  readonly requests: readonly string[]
  /** Offsets the vmcore was asked from. */
  readonly froms: readonly number[]
  /** The boot each request named. */
  readonly epochs: readonly (number | undefined)[]
  behave(behaviour: Partial<Behaviour>): void
}

/** Listens on a free port of the loopback. */
export async function startFakeKernel(
  vmcore: SparseVmcore,
  job: Partial<Omit<CaptureJob, 'proof'>> = {},
): Promise<FakeKernel> {
  const requests: string[] = []
  const froms: number[] = []
  const epochs: (number | undefined)[] = []
  const counts = { vmcore: 0, manifest: 0, release: 0 }
  const partition = job.partition ?? 'p1'
  let behaviour: Behaviour = {
    vmcore: (from) => flattened(vmcore, from),
    manifest: () => [new TextEncoder().encode(manifestOf(vmcore))],
    release: () => {},
  }
  const logger = createLogger({ service: 'fake-kernel', level: 'silent' })
  const app = createApp({
    guard: createGuard({
      identity: testKeys.identityOf('lpar-kernel'),
      metrics: createMetrics({ processMetrics: false }),
      clock: systemClock,
      events: createHeapEventLog(),
      logger,
      dumps: { key: testKeys.dumpKey, mayAsk: async (id) => id === partition },
    }),
    logger,
    metrics: createMetrics({ processMetrics: false }),
    newCorrelationId: () => 'fake',
    ready: () => Promise.resolve(),
  })
  const unused = () => Promise.reject(new Problem('not-found', 'this fake has only a dump'))
  serveRoutes(app, lparKernelRoutes, {
    readFile: unused,
    readProc: unused,
    rehearse: unused,
    readCaptureMemory: unused,
    runWorkload: unused,
    crash: unused,
    systemResetInterrupt: unused,
    shutdown: unused,
    readVmcoreManifest: async ({ query }) => {
      requests.push('manifest')
      epochs.push(query.epoch)
      return stream(behaviour.manifest(++counts.manifest))
    },
    readVmcore: async ({ query, header }, reply) => {
      requests.push(`vmcore ${query.from}`)
      froms.push(query.from)
      epochs.push(query.epoch)
      reply.header('content-type', header('accept') ?? 'application/octet-stream')
      return stream(behaviour.vmcore(query.from, ++counts.vmcore))
    },
    writeFile: unused,
    releaseDump: async ({ query, body }) => {
      epochs.push(query.epoch)
      requests.push(`release kernel/fadump_release_mem=${body}`)
      await behaviour.release(++counts.release)
      return undefined
    },
  })
  const url = await listen(app, { host: '127.0.0.1', port: 0 })
  return {
    url,
    job: signedCaptureJob(testKeys.dumpKey, {
      frame: 'server-1',
      partition,
      epoch: 3,
      dump: `${partition}-1`,
      partitionUrl: `${url}/partitions/${partition}`,
      correlationId: 'crash-1',
      ...job,
    }),
    requests,
    froms,
    epochs,
    behave: (changed) => void (behaviour = { ...behaviour, ...changed }),
    [Symbol.asyncDispose]: () => app.close(),
  }
}

/** The first `bytes` of a stream: it ends early, and all of them arrive. */
export function* cutAfter(chunks: Iterable<Uint8Array>, bytes: number): Generator<Uint8Array> {
  let left = bytes
  for (const chunk of chunks) {
    if (chunk.byteLength >= left) {
      yield chunk.subarray(0, left)
      return
    }
    left -= chunk.byteLength
    yield chunk
  }
}

/** As `cutAfter`, but the connection breaks: what was under way then may or may not arrive. */
export function* breakAfter(chunks: Iterable<Uint8Array>, bytes: number): Generator<Uint8Array> {
  yield* cutAfter(chunks, bytes)
  throw new Error('the connection is cut')
}

/** A refusal as a kernel host sends it. */
export function refusal(slug: ProblemSlug, errno?: string): Problem {
  const extensions = errno === undefined ? {} : { errno, status: 403 }
  return new Problem(slug, `refused: ${errno ?? slug}`, { extensions })
}

async function* stream(chunks: Chunks): AsyncGenerator<Uint8Array> {
  yield* chunks
}
