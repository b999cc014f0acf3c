/** Stored dumps: the console passes on what the collector has, downloads included, without holding any of it. */
import type { collectorRoutes, hmcRoutes } from '@fadump-lab/shared/contracts'
import type { Handlers, ReplyControl, StreamedReply } from '@fadump-lab/shared/http'
import type { HmcApiDeps } from '../deps.ts'
import { passOn } from './inventory.ts'

const replyHeaders = ['content-type', 'content-length', 'content-range', 'accept-ranges', 'etag']

export function dumpHandlers({
  collector,
}: HmcApiDeps): Pick<Handlers<typeof hmcRoutes>, keyof typeof collectorRoutes> {
  return {
    listDumps: ({ query, correlationId }) => collector.listDumps({ query, correlationId }),
    getDump: ({ params, correlationId }) => collector.getDump({ params, correlationId }),
    getDumpManifest: async ({ params, correlationId, signal }, reply) =>
      forward(await collector.getDumpManifest({ params, correlationId, signal }), reply),
    downloadVmcore: async ({ params, correlationId, signal, header }, reply) => {
      const headers = passOn(header, ['range', 'if-range'])
      return forward(
        await collector.downloadVmcore({ params, correlationId, signal, headers }),
        reply,
      )
    },
    deleteDump: ({ params, correlationId }) => collector.deleteDump({ params, correlationId }),
    pinDump: ({ params, correlationId }) => collector.pinDump({ params, correlationId }),
    unpinDump: ({ params, correlationId }) => collector.unpinDump({ params, correlationId }),
    getScrub: ({ correlationId }) => collector.getScrub({ correlationId }),
    startScrub: ({ correlationId }) => collector.startScrub({ correlationId }),
  }
}

function forward(streamed: StreamedReply, reply: ReplyControl): AsyncIterable<Uint8Array> {
  reply.status(streamed.status)
  for (const name of replyHeaders) {
    const value = streamed.headers.get(name)
    if (value !== null) reply.header(name, value)
  }
  return streamed.body
}
