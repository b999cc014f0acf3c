/** Stored dumps over a console that is not always there: a file comes in pieces, each asked for until it is there whole. */
import type { SoakDeps } from '@fadump-lab/hmc-api'
import type { StreamedReply } from '@fadump-lab/shared/http'
import type { Console, Question } from './console.ts'

/** One piece of a vmcore, in memory at a time. */
const pieceBytes = 16 * 1024 * 1024

export function storedDumps(console: Pick<Console, 'ask' | 'order'>): SoakDeps['collector'] {
  return {
    listDumps: (request) => console.ask((routes) => routes.listDumps(request)),
    deleteDump: (request) =>
      console.order((routes) => routes.deleteDump(request), {
        done: 'not-found',
        otherwise: () => Promise.resolve(undefined),
      }),
    getDumpManifest: (request) => whole(console, (routes) => routes.getDumpManifest(request)),
    downloadVmcore: async (request) => {
      const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers?.['range'] ?? '')
      if (range === null) throw new RangeError('a vmcore is read by ranges of bytes')
      const piece = (start: number, end: number) =>
        whole(console, (routes) => {
          const headers = { ...request.headers, range: `bytes=${start}-${end}` }
          return routes.downloadVmcore({ ...request, headers })
        })
      return pieces(Number(range[1]), Number(range[2]), piece)
    },
  }
}

/** The first piece is there when it resolves. */
async function pieces(
  start: number,
  last: number,
  piece: (start: number, end: number) => Promise<StreamedReply>,
): Promise<StreamedReply> {
  const endOf = (at: number) => Math.min(last, at + pieceBytes - 1)
  const first = await piece(start, endOf(start))
  async function* body(): AsyncGenerator<Uint8Array> {
    yield* first.body
    for (let at = start + pieceBytes; at <= last; at += pieceBytes) {
      const next = await piece(at, endOf(at))
      yield* next.body
    }
  }
  return { ...first, body: body() }
}

/** A reply with a body that has come to its end. */
function whole(
  console: Pick<Console, 'ask'>,
  question: Question<StreamedReply>,
): Promise<StreamedReply> {
  return console.ask(async (routes) => {
    const reply = await question(routes)
    const parts: Uint8Array[] = []
    for await (const part of reply.body) parts.push(part)
    return { ...reply, body: passOn(parts) }
  })
}

async function* passOn(parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts
}
