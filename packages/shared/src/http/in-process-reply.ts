/** A reply as a client sees it, that never was on a wire. */
import { concat } from '../units/index.ts'
import type { Reply } from './client.ts'
import type { Outgoing } from './exchange.ts'

const utf8 = new TextDecoder()
const toUtf8 = new TextEncoder()

export class InProcessReply implements Reply {
  readonly status: number
  readonly #headers: Outgoing['headers']
  readonly #body: Outgoing['body']

  constructor({ status, headers, body }: Outgoing) {
    this.status = status
    this.#headers = headers
    this.#body = body
  }

  get ok(): boolean {
    return this.status >= 200 && this.status < 300
  }

  get headers(): Headers {
    return new Headers(this.#headers)
  }

  get body(): AsyncIterable<Uint8Array> | null {
    const body = this.#body
    if (body === undefined) return null
    if (typeof body !== 'string' && !(body instanceof Uint8Array)) return body
    return onePiece(typeof body === 'string' ? toUtf8.encode(body) : body)
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text())
  }

  async text(): Promise<string> {
    return typeof this.#body === 'string' ? this.#body : utf8.decode(await this.bytes())
  }

  async bytes(): Promise<Uint8Array> {
    const body = this.#body
    if (body instanceof Uint8Array) return body
    const parts: Uint8Array[] = []
    for await (const part of this.body ?? []) parts.push(part)
    return concat(parts)
  }
}

async function* onePiece(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.byteLength > 0) yield bytes
}
