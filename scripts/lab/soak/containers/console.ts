/** The console as a client sees it whose service is killed now and then: logs on again, asks again. */
import { hmcRoutes, isProblem, Problem } from '@fadump-lab/shared/contracts'
import { createClient, type Client } from '@fadump-lab/shared/http'
import { bearer } from '@fadump-lab/shared/identity'
import type { Clock } from '@fadump-lab/shared/runtime'

export type Routes = Client<typeof hmcRoutes>
export type Question<T> = (routes: Routes) => Promise<T>

export interface ConsoleOptions {
  /** Without a trailing slash. */
  readonly url: string
  readonly user: string
  readonly password: string
  readonly clock: Clock
}

/** How long a question is asked again. */
const patienceMs = 240_000
const pauseMs = 250
/** One try. Longer than any pause of a container, after which a request is answered, not lost. */
const tryTimeoutMs = 30_000

export class Console {
  readonly #options: ConsoleOptions
  readonly #routes: Routes
  #token = ''
  #lost = 0

  constructor(options: ConsoleOptions) {
    this.#options = options
    this.#routes = createClient(hmcRoutes, {
      baseUrl: options.url,
      authorize: (route) => bearer(this.#token)(route),
      fetch: (input, init) => fetch(input, withTimeout(init)),
    })
  }

  /** Requests without an answer. */
  get lost(): number {
    return this.#lost
  }

  /** One try; a lost session is no refusal. Errors: refusals, and `dependency-unavailable` for whatever passes. */
  async once<T>(question: Question<T>): Promise<T> {
    try {
      return await this.#loggedOn(question)
    } catch (error) {
      if (isForGood(error)) throw error
      this.#lost += 1
      const detail = error instanceof Error ? error.message : String(error)
      throw new Problem('dependency-unavailable', detail, { cause: error })
    }
  }

  /** Asks until somebody answers. Errors: refusals, and the last failure when patience ends. */
  ask<T>(question: Question<T>): Promise<T> {
    return this.#until(question, () => undefined)
  }

  /**
   * Gives an order until somebody answers. One whose answer was lost has been carried out when the next is refused as
   * `done`: then it is answered by `otherwise`. Errors: as of `ask`.
   */
  order<T>(
    give: Question<T>,
    { done, otherwise }: { readonly done: Problem['slug']; readonly otherwise: () => Promise<T> },
  ): Promise<T> {
    return this.#until(give, (error) => (isProblem(error, done) ? otherwise : undefined))
  }

  async #until<T>(
    question: Question<T>,
    whenAgain: (error: unknown) => (() => Promise<T>) | undefined,
  ): Promise<T> {
    const { clock } = this.#options
    const deadline = clock.now() + patienceMs
    for (let isFirst = true; ; isFirst = false) {
      try {
        return await this.once(question)
      } catch (error) {
        const instead = isFirst ? undefined : whenAgain(error)
        if (instead !== undefined) return instead()
        if (isForGood(error) || clock.now() > deadline) throw error
      }
      await clock.sleep(pauseMs)
    }
  }

  async #loggedOn<T>(question: Question<T>): Promise<T> {
    try {
      return await question(this.#routes)
    } catch (error) {
      if (!isProblem(error, 'unauthenticated')) throw error
      const { user, password } = this.#options
      this.#token = (await this.#routes.logOn({ body: { name: user, password } })).token
      return question(this.#routes)
    }
  }
}

/** What the same request may be answered otherwise in a moment. */
const passing: readonly Problem['slug'][] = [
  'dependency-unavailable',
  'internal-error',
  'too-many-requests',
  'conflict',
]

function isForGood(error: unknown): boolean {
  return error instanceof Problem && !passing.includes(error.slug)
}

function withTimeout(init: RequestInit | undefined): RequestInit {
  return { ...init, signal: AbortSignal.timeout(tryTimeoutMs) }
}
