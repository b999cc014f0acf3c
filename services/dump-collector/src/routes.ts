/** The dump store over HTTP: list, look, download, pin, scrub, delete. */
import {
  Problem,
  type collectorRoutes,
  type Dump,
  type DumpStatus,
} from '@fadump-lab/shared/contracts'
import type { Clock } from '@fadump-lab/shared/runtime'
import { contentRange, parseRange, type ByteRange, type Handlers } from '@fadump-lab/shared/http'
import type { Scrubber } from './scrub/scrubber.ts'
import { deleteDump } from './store/delete-dump.ts'
import type { DumpIndex, StoredDump } from './store/dump-index.ts'
import type { Files } from './store/files.ts'
import { fileIn } from './store/layout.ts'
import { pin, unpin } from './store/pins.ts'
import { readFileRange } from './store/read-file.ts'

export interface RouteTools {
  readonly root: string
  readonly files: Files
  readonly index: DumpIndex
  readonly clock: Clock
  readonly scrubber: Scrubber
}

type CollectorHandlers = Handlers<typeof collectorRoutes>

export function dumpHandlers(tools: RouteTools): CollectorHandlers {
  const { root, files, index, scrubber } = tools
  return {
    listDumps: async ({ query }) =>
      (await index.list(query.partition)).map((stored) => stored.dump),
    getDump: async ({ params }) => (await known(index, params.dump)).dump,
    getDumpManifest: async ({ params }) => {
      const stored = await downloadable(index, params.dump)
      const path = fileIn(stored.place, 'manifest')
      return readFileRange(files, path, { start: 0n, end: await sizeOf(files, path) })
    },
    downloadVmcore: async ({ params, header }, reply) => {
      const { place, dump } = await downloadable(index, params.dump)
      const path = fileIn(place, 'vmcore')
      const size = await sizeOf(files, path)
      const etag = `"${dump.digest ?? dump.id}"`
      reply.header('accept-ranges', 'bytes')
      reply.header('etag', etag)
      const range = askedRange({ range: header('range'), ifRange: header('if-range') }, etag)
      const asked = withSize(size, reply, () => parseRange(range, size))
      if (asked !== undefined) {
        reply.status(206)
        reply.header('content-range', contentRange(asked, size))
      }
      const { start, end } = asked ?? { start: 0n, end: size }
      reply.header('content-length', (end - start).toString())
      return readFileRange(files, path, { start, end })
    },
    deleteDump: async ({ params }) => {
      const { place, dump } = await known(index, params.dump)
      const isAtRest = dump.step === 'complete' || dump.step === 'failed'
      if (index.isLive(dump.id) || !isAtRest) {
        throw wrongState(dump, 'can be deleted when its capture has ended')
      }
      if (dump.pinned) throw wrongState(dump, 'is pinned and can be deleted when it is unpinned')
      await deleteDump(files, root, place)
      return undefined
    },
    pinDump: async ({ params }) => pinDump(tools, params.dump),
    unpinDump: async ({ params }) => {
      await unpin(files, (await known(index, params.dump)).place)
      return (await known(index, params.dump)).dump
    },
    getScrub: async () => scrubber.state,
    startScrub: async () => scrubber.start(),
  }
}

/** A capture may publish its directory meanwhile, under another name: at most once. */
async function pinDump({ files, index, clock }: RouteTools, id: string): Promise<Dump> {
  const isDone = await pin(files, (await known(index, id)).place, clock.iso())
  if (!isDone) await pin(files, (await known(index, id)).place, clock.iso())
  return (await known(index, id)).dump
}

const restStates: readonly DumpStatus[] = ['complete', 'partial', 'failed']
const downloadStates: readonly DumpStatus[] = ['complete', 'partial']

async function known(index: DumpIndex, id: string): Promise<StoredDump> {
  const stored = await index.find(id)
  if (stored === undefined) throw new Problem('not-found', `no dump is called ${id}`)
  return stored
}

async function downloadable(index: DumpIndex, id: string): Promise<StoredDump> {
  const stored = await known(index, id)
  if (stored.place.kind === 'final' && downloadStates.includes(stored.dump.status)) return stored
  throw wrongState(stored.dump, 'can be read when it is stored', downloadStates)
}

function wrongState(dump: Dump, rule: string, allowedStates = restStates): Problem {
  return new Problem('wrong-state', `dump ${dump.id} is ${dump.status}; it ${rule}`, {
    extensions: { state: dump.status, step: dump.step, allowedStates },
  })
}

async function sizeOf(files: Files, path: string): Promise<bigint> {
  const facts = await files.facts(path)
  if (facts === undefined) throw new Problem('not-found', 'the dump has been deleted meanwhile')
  return BigInt(facts.sizeBytes)
}

/** RFC 9110 §13.1.5: a range of another version than the present one is not asked for. */
function askedRange(
  asked: { readonly range: string | undefined; readonly ifRange: string | undefined },
  etag: string,
): string | undefined {
  return asked.ifRange === undefined || asked.ifRange === etag ? asked.range : undefined
}

/** RFC 9110 §15.5.17: a refused range is told the size. */
function withSize(
  size: bigint,
  reply: { header(name: string, value: string): void },
  parse: () => ByteRange | undefined,
): ByteRange | undefined {
  try {
    return parse()
  } catch (error) {
    reply.header('content-range', `bytes */${size}`)
    throw error
  }
}
