/** A stored vmcore as the collector hands it out: outline, what is populated, and its memory as a stream, never in one piece. */
import { retry } from '@fadump-lab/shared/runtime'
import { readOutline, type CoreOutline } from './oracle/core-outline.ts'
import { PageCutter, wholePages, type FileRange } from './oracle/core-pages.ts'
import type { MemoryOracle } from './oracle/memory-oracle.ts'
import type { SoakDeps } from './soak-tools.ts'

/** Headers and notes of 4,096 CPUs. */
const headBytesMax = 16 * 1024 * 1024
const manifestBytesMax = 64 * 1024 * 1024
/** Of one range. */
const breaksMax = 10
const breakPauseMs = 300

export class StoredCore {
  readonly #collector: SoakDeps['collector']
  readonly #dump: string
  readonly #correlationId: string
  readonly #clock: SoakDeps['clock']

  constructor(deps: SoakDeps, dump: string, correlationId: string) {
    this.#collector = deps.collector
    this.#dump = dump
    this.#correlationId = correlationId
    this.#clock = deps.clock
  }

  outline(): Promise<CoreOutline> {
    return readOutline((start, end) => this.#again(() => this.#read(start, end)))
  }

  /** Lets the oracle see all of memory, or what the manifest lists: what it leaves out, the oracle misses. */
  async show(oracle: MemoryOracle, outline: CoreOutline, isWhole: boolean): Promise<number> {
    const ranges = isWhole
      ? [{ start: 0, end: outline.end }]
      : await this.#again(() => this.#populated())
    let shown = 0
    for (const range of wholePages(ranges, outline.loads)) {
      const cutter = new PageCutter(outline.loads, (page, bytes) => oracle.page(page, bytes))
      let offset = range.start
      for await (const bytes of this.#resumed(range)) {
        cutter.piece({ offset, bytes })
        offset += bytes.byteLength
      }
      cutter.end()
      if (offset !== range.end) throw new Error(`the download broke off at ${offset}`)
      shown += range.end - range.start
    }
    return shown
  }

  async #populated(): Promise<FileRange[]> {
    const { body } = await this.#collector.getDumpManifest({
      params: { dump: this.#dump },
      correlationId: this.#correlationId,
    })
    const text = new TextDecoder().decode(await gather(body, manifestBytesMax))
    const lines = text.trim().split('\n').slice(1, -1)
    return lines.map((line) => {
      const { offset, length } = JSON.parse(line) as { offset: number; length: number }
      return { start: offset, end: offset + length }
    })
  }

  async #read(start: number, end: number): Promise<Uint8Array> {
    if (end - start > headBytesMax) throw new Error(`${end - start} bytes of headers`)
    const bytes = await gather(await this.#stream({ start, end }), headBytesMax)
    if (bytes.byteLength !== end - start)
      throw new Error(`the file ends at ${start + bytes.byteLength}`)
    return bytes
  }

  /** What breaks off is read again. */
  #again<T>(read: () => Promise<T>): Promise<T> {
    const backoff = { backoffMs: breakPauseMs, backoffMsMax: breakPauseMs }
    return retry(read, { clock: this.#clock, attemptsMax: breaksMax, ...backoff })
  }

  /** A download that breaks off is asked for from there on, as any client does. */
  async *#resumed({ start, end }: FileRange): AsyncGenerator<Uint8Array> {
    let at = start
    for (let breaks = 0; at < end;) {
      try {
        for await (const bytes of await this.#stream({ start: at, end })) {
          at += bytes.byteLength
          yield bytes
        }
        if (at < end) throw new Error(`the download broke off at ${at}`)
      } catch (error) {
        breaks += 1
        if (breaks > breaksMax) throw error
        await this.#clock.sleep(breakPauseMs)
      }
    }
  }

  async #stream({ start, end }: FileRange): Promise<AsyncIterable<Uint8Array>> {
    if (start === end) return nothing()
    const { body } = await this.#collector.downloadVmcore({
      params: { dump: this.#dump },
      headers: { range: `bytes=${start}-${end - 1}` },
      correlationId: this.#correlationId,
    })
    return body
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

async function gather(body: AsyncIterable<Uint8Array>, bytesMax: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of body) {
    length += part.byteLength
    if (length > bytesMax) throw new Error(`more than ${bytesMax} bytes`)
    parts.push(part)
  }
  const whole = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.byteLength
  }
  return whole
}
