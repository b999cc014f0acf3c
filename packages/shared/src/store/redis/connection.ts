/**
 * One connection to Redis: how scripts are run, how page bodies travel with them, and what a failure means.
 *
 * A command that Redis may have carried out is never sent a second time: it fails as `unavailable` within the command
 * timeout, and the caller looks before it repeats. The client reconnects by itself, also when a connection has been silent for
 * as long as a command may take.
 */
import { once } from 'node:events'
import { Cluster, Redis } from 'ioredis'
import { asBuffer, invariant } from '../../units/index.ts'
import { unavailable } from '../checks.ts'
import { pageKey } from '../keys.ts'
import type { StoreError } from '../memory-store.ts'
import type { PageId } from '../page-id.ts'
import { scripts, type ScriptCall, type ScriptDefinition, type ScriptName } from '../scripts.ts'
import type { ScriptSources } from './script-source.ts'

export interface ConnectionOptions {
  /** `redis://[user:password@]host:port[/db]`, or `rediss://`; with `cluster`, any of its nodes. */
  readonly url: string
  readonly cluster?: boolean
  /** How long an operation waits for Redis before it is `unavailable`. */
  readonly commandTimeoutMs?: number
  /** Told about every failed attempt to connect; the client goes on trying. */
  readonly onConnectionError?: (error: Error) => void
}

export type ScriptValue = string | number | null | readonly string[]
/** A status word, then what the header of the script says. */
export type ScriptReply = readonly [status: string, ...values: ScriptValue[]]

const commandTimeoutMsDefault = 10_000
const connectTimeoutMs = 2_000
const reconnectDelayMsMax = 1_000
const reconnectDelayMsStep = 50

export class RedisConnection implements AsyncDisposable {
  readonly #client: Redis | Cluster
  readonly #sources: ScriptSources

  constructor(options: ConnectionOptions, sources: ScriptSources) {
    this.#sources = sources
    this.#client = connect(options)
    this.#client.on('error', (error: Error) => options.onConnectionError?.(error))
  }

  /** Resolves when Redis has been reached, or has not been for a while: then operations are unavailable until it is. */
  async opened(): Promise<void> {
    if (!this.#client.isCluster || this.#client.status === 'ready') return
    const signal = AbortSignal.timeout(connectTimeoutMs)
    await once(this.#client, 'ready', { signal }).catch(() => undefined)
  }

  /** Sends one command; text comes back as strings. */
  async command(name: string, ...args: (string | number)[]): Promise<unknown> {
    return this.#guard(() => this.#client.call(name, ...args))
  }

  async run<Name extends ScriptName>(name: Name, call: ScriptCall<Name>): Promise<ScriptReply> {
    return await this.#runBound(bind(name, call))
  }

  /** As `run`, for a script that returns page bodies. */
  async runForBodies(
    name: 'readPages',
    call: ScriptCall<'readPages'>,
  ): Promise<readonly (Uint8Array | null)[]> {
    const source = this.#source(name)
    const reply = await this.#guard(() =>
      this.#client.callBuffer('EVAL', source.text, ...argumentsOf(name, call)),
    )
    return asBodies(reply)
  }

  /** The bodies of pages, `null` where there is none. */
  async bodies(frame: string, ids: readonly PageId[]): Promise<readonly (Uint8Array | null)[]> {
    if (ids.length === 0) return []
    const keys = ids.map((id) => pageKey(frame, id))
    return asBodies(await this.#guard(() => this.#client.mgetBuffer(...keys)))
  }

  /** Stores page bodies and runs scripts in one transaction: all of it happens, or nothing. */
  async transaction(frame: string, steps: TransactionSteps): Promise<readonly ScriptReply[]> {
    const [only] = steps.scripts
    // A script is a transaction by itself; and at full memory Redis takes scripts, but no transactions.
    if (only !== undefined && steps.scripts.length === 1 && steps.bodies.size === 0) {
      return [await this.#runBound(only)]
    }
    const batch = this.#client.multi()
    if (steps.bodies.size > 0) {
      batch.mset([...steps.bodies].flatMap(([id, body]) => [pageKey(frame, id), asBuffer(body)]))
    }
    // The text, not the digest: a transaction cannot take a second try when Redis does not know the script.
    for (const { name, args } of steps.scripts) batch.call('EVAL', this.#source(name).text, ...args)
    const results = await this.#guard(() => batch.exec())
    invariant(results !== null, 'a transaction without WATCH is never discarded')
    return results.slice(-steps.scripts.length).map(([error, reply]) => {
      if (error !== null) throw failureOf(error)
      return asReply(reply)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.disconnect()
  }

  /** By its digest when Redis knows the script already, otherwise by its text. */
  async #runBound({ name, args }: BoundScript): Promise<ScriptReply> {
    const source = this.#source(name)
    const reply = await this.#guard(async () => {
      try {
        return await this.#client.call('EVALSHA', source.sha1, ...args)
      } catch (error) {
        if (replyWord(error) !== 'NOSCRIPT') throw error
        return await this.#client.call('EVAL', source.text, ...args)
      }
    })
    return asReply(reply)
  }

  #source(name: ScriptName): { readonly text: string; readonly sha1: string } {
    const source = this.#sources.get(name)
    invariant(source !== undefined, `script ${name} has not been loaded`)
    return source
  }

  async #guard<Reply>(send: () => Promise<Reply>): Promise<Reply> {
    try {
      return await send()
    } catch (error) {
      throw failureOf(error)
    }
  }
}

export interface TransactionSteps {
  readonly bodies: ReadonlyMap<PageId, Uint8Array>
  readonly scripts: readonly BoundScript[]
}

/** A script with its keys and arguments in the order that Redis wants. */
export interface BoundScript {
  readonly name: ScriptName
  readonly args: readonly (string | number)[]
}

export function bind<Name extends ScriptName>(name: Name, call: ScriptCall<Name>): BoundScript {
  return { name, args: argumentsOf(name, call) }
}

function argumentsOf<Name extends ScriptName>(
  name: Name,
  call: ScriptCall<Name>,
): (string | number)[] {
  const { keys, args }: ScriptDefinition = scripts[name]
  const keyValues: Readonly<Record<string, string>> = call.keys
  const argValues: Readonly<Record<string, string | number>> = call.args
  return [
    keys.length,
    ...keys.map((key) => keyValues[key] ?? ''),
    ...args.map((arg) => argValues[arg] ?? ''),
    ...(call.rest ?? []),
  ]
}

function connect(options: ConnectionOptions): Redis | Cluster {
  const commandTimeoutMs = options.commandTimeoutMs ?? commandTimeoutMsDefault
  const redisOptions = {
    commandTimeout: commandTimeoutMs,
    // A connection whose other end is gone without a word is never closed by itself.
    socketTimeout: commandTimeoutMs,
    connectTimeout: connectTimeoutMs,
    maxRetriesPerRequest: 1,
    autoResendUnfulfilledCommands: false,
  }
  if (options.cluster !== true) {
    return new Redis(options.url, { ...redisOptions, retryStrategy: reconnectDelayMs })
  }
  // The offline queue of a cluster knows no timeout, so there is none: `opened` waits for the first contact instead.
  return new Cluster([options.url], {
    redisOptions,
    clusterRetryStrategy: reconnectDelayMs,
    enableOfflineQueue: false,
  })
}

function reconnectDelayMs(attempt: number): number {
  return Math.min(attempt * reconnectDelayMsStep, reconnectDelayMsMax)
}

/** Answers by which Redis says "not now"; any other error answer is a mistake of ours and stays as it is. */
const notNow = new Set([
  'BUSY',
  'CLUSTERDOWN',
  'LOADING',
  'MASTERDOWN',
  'MISCONF',
  'NOREPLICAS',
  'OOM',
  'READONLY',
  'TRYAGAIN',
])

function failureOf(error: unknown): StoreError | Error {
  const cause = causeOf(error)
  const word = replyWord(cause)
  if (word === undefined) return unavailable('Redis does not answer', cause)
  if (notNow.has(word)) return unavailable(`Redis cannot do this now: ${word}`, cause)
  return cause instanceof Error ? cause : new Error('Redis failed', { cause })
}

/** A transaction that is given up (EXECABORT) says why in the refusal of its first command. */
function causeOf(error: unknown): unknown {
  if (!(error instanceof Error) || !('previousErrors' in error)) return error
  const { previousErrors } = error
  return Array.isArray(previousErrors) ? (previousErrors[0] ?? error) : error
}

/** The first word of an error that Redis answered; `undefined` when there was no answer. */
function replyWord(error: unknown): string | undefined {
  if (!(error instanceof Error) || error.name !== 'ReplyError') return undefined
  return error.message.split(' ', 1)[0]
}

function asReply(reply: unknown): ScriptReply {
  invariant(Array.isArray(reply) && typeof reply[0] === 'string', 'a script answers a status word')
  return reply as unknown as ScriptReply
}

function asBodies(reply: unknown): readonly (Uint8Array | null)[] {
  invariant(Array.isArray(reply), 'page bodies come as a list')
  return reply.filter((body) => body === null || body instanceof Uint8Array)
}
