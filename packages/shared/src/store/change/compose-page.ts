/** Building the content of one page from its pieces. */
import { isZero } from '../../units/index.ts'
import { pageSize } from '../memory-store.ts'
import { pageOf, pageStart, type ComposedPage, type Piece } from './page-plan.ts'

/** The body of a page as it was before the change; `undefined` for an absent page. */
export type PageReader = (page: number) => Uint8Array | undefined

/** The new body of `composed.page`, or `undefined` when it is all zero. */
export function composePage(composed: ComposedPage, before: PageReader): Uint8Array | undefined {
  const written = wholePage(composed)
  // A copy without zeros below it: most pages are written as a whole.
  if (written !== undefined) return isZero(written) ? undefined : new Uint8Array(written)
  const body = new Uint8Array(pageSize)
  if (keepsOwnBytes(composed)) {
    const own = before(composed.page)
    if (own !== undefined) body.set(own)
  }
  for (const piece of composed.pieces) place(body, piece, before)
  return isZero(body) ? undefined : body
}

/** The bytes of a page that one write covers; a kernel clears its log with zeros like that. */
function wholePage({ pieces: [piece] }: ComposedPage): Uint8Array | undefined {
  if (piece === undefined || piece.length < pageSize || piece.origin.kind !== 'bytes') {
    return undefined
  }
  return piece.origin.bytes
}

/** The pages whose content before the change `composed` depends on. */
export function pagesRead(composed: ComposedPage): readonly number[] {
  const pages = keepsOwnBytes(composed) ? [composed.page] : []
  for (const { origin, length } of composed.pieces) {
    if (origin.kind !== 'memory') continue
    const first = pageOf(origin.source)
    const last = pageOf(origin.source + BigInt(length) - 1n)
    pages.push(first)
    if (last !== first) pages.push(last)
  }
  return pages
}

function keepsOwnBytes({ pieces }: ComposedPage): boolean {
  return pieces.reduce((sum, piece) => sum + piece.length, 0) < pageSize
}

function place(body: Uint8Array, { at, length, origin }: Piece, before: PageReader): void {
  switch (origin.kind) {
    case 'zeros':
      body.fill(0, at, at + length)
      break
    case 'bytes':
      body.set(origin.bytes, at)
      break
    case 'memory':
      copyMemory(body.subarray(at, at + length), origin.source, before)
  }
}

/** Fills `target` with the memory from `source` on, across as many pages as it takes. */
export function copyMemory(target: Uint8Array, source: bigint, before: PageReader): void {
  let filled = 0
  while (filled < target.byteLength) {
    const address = source + BigInt(filled)
    const page = pageOf(address)
    const offset = Number(address - pageStart(page))
    const length = Math.min(target.byteLength - filled, pageSize - offset)
    const body = before(page)
    if (body === undefined) target.fill(0, filled, filled + length)
    else target.set(body.subarray(offset, offset + length), filled)
    filled += length
  }
}
