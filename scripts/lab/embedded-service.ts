/** One service of the embedded room. When a fault ends its process, the next one comes up at the same address. */
import { FaultTools, type FaultPlan } from '@fadump-lab/shared/faults'
import { listen, type Service } from '@fadump-lab/shared/http'
import type { Clock } from '@fadump-lab/shared/runtime'

export interface EmbeddedOptions {
  readonly host: string
  readonly port: number
  /** Builds the service of one life, on ports that strike by `tools` when there are any. */
  readonly build: (tools: FaultTools | undefined) => Service | Promise<Service>
  /** Absent: no faults. It outlives the process. */
  readonly plan: FaultPlan | undefined
  readonly clock: Clock
  /** Told when the next process could not be started; it is tried again. */
  readonly onLost: (error: unknown) => void
}

/** Between two tries to start, as a container runtime has it. */
const restartMs = 1000

export class EmbeddedService implements AsyncDisposable {
  readonly #options: EmbeddedOptions
  readonly #stopped = new AbortController()
  #life: Service | undefined
  /** Of lives; an end that is told of an earlier one is old news. */
  #number = 0
  #restarting: Promise<void> = Promise.resolve()
  #url = ''

  private constructor(options: EmbeddedOptions) {
    this.#options = options
  }

  static async start(options: EmbeddedOptions): Promise<EmbeddedService> {
    const service = new EmbeddedService(options)
    await service.#begin(options.port)
    return service
  }

  /** Base URL; the same for every life. */
  get url(): string {
    return this.#url
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort(new Error('the room is closed'))
    await this.#restarting
    await this.#life?.[Symbol.asyncDispose]()
  }

  async #begin(port: number): Promise<void> {
    const { build, host, plan, clock } = this.#options
    this.#number += 1
    const number = this.#number
    const abort = () => {
      this.#hangUp()
      this.#restart(number)
    }
    const tools = plan === undefined ? undefined : new FaultTools({ plan, clock, abort })
    this.#life = await build(tools)
    this.#url = await listen(this.#life.app, { host, port })
    await this.#life.start(this.#url)
  }

  /** Nobody hears from a process that has ended, and nobody is let in. */
  #hangUp(): void {
    const server = this.#life?.app.server
    server?.close()
    server?.closeAllConnections()
  }

  #restart(number: number): void {
    this.#restarting = this.#restarting.then(() => this.#beginAgain(number))
  }

  async #beginAgain(number: number): Promise<void> {
    const { clock, onLost } = this.#options
    const { signal } = this.#stopped
    if (signal.aborted || number !== this.#number) return
    await this.#bury()
    while (!signal.aborted) {
      try {
        return await this.#begin(Number(new URL(this.#url).port))
      } catch (error) {
        onLost(error)
        await this.#bury()
        await clock.sleep(restartMs, signal).catch(() => undefined)
      }
    }
  }

  /** The ports of the life that has ended refuse already: what it still does, changes nothing. */
  async #bury(): Promise<void> {
    const ended = this.#life
    this.#life = undefined
    try {
      await ended?.[Symbol.asyncDispose]()
    } catch {
      // A process that has ended tidies nothing up.
    }
  }
}
