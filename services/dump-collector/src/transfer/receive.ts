/** One request for the vmcore: its bytes go to their place in the file as far as the manifest allows. */
import type { Capture } from '../collect/capture.ts'
import { entriesOf } from '../manifest/manifest-file.ts'
import type { OpenFile } from '../store/files.ts'
import { Coverage, StreamRefusedError } from './coverage.ts'
import { SparseWriter } from './sparse-writer.ts'
import { StreamCutError, streamPieces } from './stream-pieces.ts'
import { createWatchdog, watched } from './watchdog.ts'

export interface Wanted {
  readonly from: bigint
  /** What begins here or behind is not taken; the request ends when this is reached. */
  readonly until: bigint
  /** Called when a window is full and its bytes are synced; `offset` is where the next byte goes. */
  readonly onWindow?: (offset: bigint) => Promise<void>
  /** Called for bytes that have been handed to the file. */
  readonly onBytes?: (length: number) => void
}

export interface Received {
  /** Where the next byte would go; everything before it is synced. */
  readonly offset: bigint
  /** Why it ended early; `undefined` when all that was wanted has come. */
  readonly cut: StreamCutError | StreamRefusedError | undefined
}

/** Errors: `Problem` when the request is refused; of the file; the reason of the capture's signal. */
export async function receive(capture: Capture, file: OpenFile, wanted: Wanted): Promise<Received> {
  const { files, clock, settings } = capture.tools
  using watchdog = createWatchdog(clock, settings.idleTimeoutMs)
  const signal = AbortSignal.any([capture.signal, watchdog.signal])
  const writer = new SparseWriter(file, wanted.from)
  await using coverage = new Coverage(entriesOf(files, capture.path('manifest')), wanted.from)
  let cut: Received['cut']
  try {
    const body = await capture.kernel.readVmcore(wanted.from, signal)
    const pieces = streamPieces(watched(body, watchdog), {
      sizeBytes: capture.dump.sizeBytes,
      signal: capture.signal,
    })
    await take(pieces, {
      coverage,
      writer,
      wanted,
      sync: windows(capture, file, { writer, wanted }),
    })
  } catch (error) {
    capture.signal.throwIfAborted()
    if (!(error instanceof StreamCutError || error instanceof StreamRefusedError)) throw error
    cut = error
  }
  await writer.flush()
  await file.sync()
  return { offset: writer.end, cut }
}

interface Taking {
  readonly coverage: Coverage
  readonly writer: SparseWriter
  readonly wanted: Wanted
  /** To be called after each piece. */
  readonly sync: (length: number) => Promise<void>
}

async function take(pieces: ReturnType<typeof streamPieces>, taking: Taking): Promise<void> {
  const { coverage, writer, wanted } = taking
  for await (const { offset, chunk } of pieces) {
    if (offset >= wanted.until) return
    const room = wanted.until - offset
    const piece = BigInt(chunk.byteLength) > room ? chunk.subarray(0, Number(room)) : chunk
    await coverage.check(offset, BigInt(piece.byteLength))
    await writer.write(offset, piece)
    wanted.onBytes?.(piece.byteLength)
    await taking.sync(piece.byteLength)
  }
}

function windows(
  capture: Capture,
  file: OpenFile,
  { writer, wanted }: { readonly writer: SparseWriter; readonly wanted: Wanted },
): (length: number) => Promise<void> {
  let filled = 0
  return async (length) => {
    filled += length
    if (filled < capture.tools.settings.windowBytes || wanted.onWindow === undefined) return
    filled = 0
    await writer.flush()
    await file.sync()
    await wanted.onWindow(writer.end)
  }
}
