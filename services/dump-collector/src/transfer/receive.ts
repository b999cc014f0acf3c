/** One request for the vmcore: its bytes go to their place in the file as far as the manifest allows. */
import type { Capture } from '../collect/capture.ts'
import { entriesOf } from '../manifest/manifest-file.ts'
import type { OpenFile } from '../store/files.ts'
import { Coverage, StreamRefusedError } from './coverage.ts'
import { SparseWriter } from './sparse-writer.ts'
import { StreamCutError, streamPieces } from './stream-pieces.ts'
import { createWatchdog, watched } from './watchdog.ts'
import { Windows, type WindowOptions } from './windows.ts'

export interface Wanted extends Pick<WindowOptions, 'onWindow' | 'onBytes'> {
  readonly from: bigint
  /** What begins here or behind is not taken; the request ends when this is reached. */
  readonly until: bigint
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
  const windows = new Windows(file, writer, { ...wanted, windowBytes: settings.windowBytes })
  await using coverage = new Coverage(entriesOf(files, capture.path('manifest')), wanted.from)
  let cut: Received['cut']
  try {
    const body = await capture.kernel.readVmcore(wanted.from, signal)
    const pieces = streamPieces(watched(body, watchdog), {
      sizeBytes: capture.dump.sizeBytes,
      signal: capture.signal,
    })
    await take(pieces, { coverage, windows, until: wanted.until })
  } catch (error) {
    capture.signal.throwIfAborted()
    if (!(error instanceof StreamCutError || error instanceof StreamRefusedError)) throw error
    cut = error
  } finally {
    await windows.idle()
  }
  await windows.finish()
  return { offset: writer.end, cut }
}

interface Taking {
  readonly coverage: Coverage
  readonly windows: Windows
  readonly until: bigint
}

async function take(pieces: ReturnType<typeof streamPieces>, taking: Taking): Promise<void> {
  const { coverage, windows, until } = taking
  for await (const { offset, chunk } of pieces) {
    if (offset >= until) return
    const room = until - offset
    const piece = BigInt(chunk.byteLength) > room ? chunk.subarray(0, Number(room)) : chunk
    await coverage.check(offset, BigInt(piece.byteLength))
    await windows.write(offset, piece)
  }
}
