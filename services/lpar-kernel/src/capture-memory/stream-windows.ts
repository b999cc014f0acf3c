/** What vmcore and manifest streams of this process hold of each partition's memory: windows that were read ahead. */
export interface WindowUse {
  readonly inFlightBytes: number
  readonly peakBytes: number
}

const nothing: WindowUse = { inFlightBytes: 0, peakBytes: 0 }

/** One boot of one partition; peaks of boots that are over are forgotten when nothing of them is in flight. */
const bootsMax = 4096

export class StreamWindows {
  readonly #uses = new Map<string, WindowUse>()

  use(boot: string): WindowUse {
    return this.#uses.get(boot) ?? nothing
  }

  /** A window begins or ends: `bytes` is negative when it ends. */
  change(boot: string, bytes: number): void {
    const { inFlightBytes, peakBytes } = this.use(boot)
    const now = inFlightBytes + bytes
    this.#uses.delete(boot)
    this.#uses.set(boot, { inFlightBytes: now, peakBytes: Math.max(peakBytes, now) })
    if (this.#uses.size <= bootsMax) return
    const oldest = [...this.#uses].find(([, use]) => use.inFlightBytes === 0)
    if (oldest !== undefined) this.#uses.delete(oldest[0])
  }
}
