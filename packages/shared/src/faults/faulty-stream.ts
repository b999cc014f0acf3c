/** The bytes of a reply on a network that breaks as planned. Each fault is one step that the stream goes through. */
import { flattenedMedia, ndjsonMedia, type ServiceFaultName } from '../contracts/index.ts'
import type { Aim, Occasion } from './fault-plan.ts'
import type { FaultTools } from './fault-tools.ts'
import { flattenedUnits, lineUnits } from './stream-units.ts'
import { silence } from './silence.ts'

export interface StreamTools {
  readonly tools: FaultTools
  readonly occasion: Occasion
  readonly signal: AbortSignal | undefined
  readonly media: string
  readonly isOk: boolean
}

type Bytes = AsyncIterable<Uint8Array>
type Through = (source: Bytes, aim: Aim, given: StreamTools) => Bytes

/** Pieces of a slow sender, and how much of a stream it slows down: more would only take time. */
const slowPieceBytes = 4096
const slowBytesMax = 1024 * 1024

const beyondStart = (value: number) => value > 0

/** In the order in which a stream goes through them: what changes bytes, what ends them, what takes time. */
const steps: readonly (readonly [
  name: ServiceFaultName,
  through: Through,
  fitsValue?: (value: number) => boolean,
])[] = [
  ['stream-duplicated', (source, aim, given) => duplicated(units(source, given), aim)],
  ['stream-reordered', (source, aim, given) => reordered(units(source, given), aim)],
  ['bit-flip', flipped],
  ['stream-truncated', truncated],
  ['connection-reset', reset, beyondStart],
  ['half-open', halfOpen, beyondStart],
  ['slow-sender', slowSender],
  ['slow-reader', slowReader],
]

/** `undefined` when no fault is due. */
export function faultyStream(source: Bytes, given: StreamTools): Bytes | undefined {
  let stream = source
  let isChanged = false
  if (!given.isOk) return undefined
  for (const [name, through, fitsValue] of steps) {
    const aim = given.tools.plan.aim(name, given.occasion, fitsValue)
    if (aim === undefined) continue
    stream = through(stream, aim, given)
    isChanged = true
  }
  return isChanged ? stream : undefined
}

/** What can come twice or in another order: records of a flattened stream, lines, else the stream as it comes. */
function units(source: Bytes, { media }: StreamTools): Bytes {
  if (media === flattenedMedia) return flattenedUnits(source)
  return media === ndjsonMedia ? lineUnits(source) : source
}

async function* duplicated(source: Bytes, aim: Aim): AsyncGenerator<Uint8Array> {
  using end = held(aim)
  let number = 0
  for await (const unit of source) {
    yield unit
    if (number++ !== aim.value) continue
    end.strike()
    yield unit
  }
}

async function* reordered(source: Bytes, aim: Aim): AsyncGenerator<Uint8Array> {
  using end = held(aim)
  let number = 0
  let late: Uint8Array | undefined
  for await (const unit of source) {
    if (number++ === aim.value) {
      late = unit
      continue
    }
    yield unit
    if (late === undefined) continue
    end.strike()
    yield late
    late = undefined
  }
  if (late !== undefined) yield late
}

async function* flipped(source: Bytes, aim: Aim): AsyncGenerator<Uint8Array> {
  using end = held(aim)
  let position = 0
  for await (const piece of source) {
    const at = aim.value - position
    position += piece.byteLength
    yield at >= 0 && at < piece.byteLength ? flipBit(piece, at, end) : piece
  }
}

function flipBit(piece: Uint8Array, at: number, end: Held): Uint8Array {
  const changed = piece.slice()
  changed[at] = (changed[at] ?? 0) ^ 1
  end.strike()
  return changed
}

/** `source` up to the byte that the fault names; a stream that ends before goes through whole. */
async function* upTo(source: Bytes, aim: Aim, end: Held): AsyncGenerator<Uint8Array> {
  let left = aim.value
  for await (const piece of source) {
    if (piece.byteLength > left) {
      if (left > 0) yield piece.subarray(0, left)
      end.strike()
      return
    }
    left -= piece.byteLength
    yield piece
  }
}

async function* truncated(source: Bytes, aim: Aim): AsyncGenerator<Uint8Array> {
  using end = held(aim)
  yield* upTo(source, aim, end)
}

async function* reset(source: Bytes, aim: Aim): AsyncGenerator<Uint8Array> {
  using end = held(aim)
  yield* upTo(source, aim, end)
  if (!end.hasStruck) return
  const cause = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
  throw new TypeError('terminated', { cause })
}

async function* halfOpen(
  source: Bytes,
  aim: Aim,
  { tools, signal }: StreamTools,
): AsyncGenerator<Uint8Array> {
  using end = held(aim)
  yield* upTo(source, aim, end)
  if (end.hasStruck) await silence(tools.clock, signal)
}

async function* slowSender(
  source: Bytes,
  aim: Aim,
  { tools, signal }: StreamTools,
): AsyncGenerator<Uint8Array> {
  using end = held(aim)
  let sent = 0
  for await (const piece of source) {
    let at = 0
    for (; at < piece.byteLength && sent < slowBytesMax; at += slowPieceBytes) {
      end.strike()
      await tools.clock.sleep(aim.value, signal)
      yield piece.subarray(at, at + slowPieceBytes)
      sent += slowPieceBytes
    }
    if (at < piece.byteLength) yield piece.subarray(at)
  }
}

async function* slowReader(
  source: Bytes,
  aim: Aim,
  { tools, signal }: StreamTools,
): AsyncGenerator<Uint8Array> {
  using end = held(aim)
  for await (const piece of source) {
    end.strike()
    await tools.clock.sleep(aim.value, signal)
    yield piece
  }
}

/** An aim that is given back at the end of the stream unless it has struck. */
interface Held extends Disposable {
  readonly hasStruck: boolean
  /** Once: a stream is hit once, however many pieces it has. */
  strike(): void
}

function held(aim: Aim): Held {
  let hasStruck = false
  return {
    get hasStruck() {
      return hasStruck
    },
    strike() {
      if (hasStruck) return
      hasStruck = true
      aim.strike()
    },
    [Symbol.dispose]() {
      if (!hasStruck) aim.miss()
    },
  }
}
