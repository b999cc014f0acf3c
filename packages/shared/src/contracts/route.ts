/** The form of one HTTP operation. `http/serve.ts` and `http/client.ts` are derived from tables of these. */
import type { z } from 'zod'
import type { Access } from './access.ts'
import type { ProblemSlug } from './problems.ts'

/** What a body is: JSON of a schema, text, bytes up to a bound, or a stream of any length. */
export type Body<Value = unknown> =
  | { readonly kind: 'none' }
  | { readonly kind: 'json'; readonly schema: z.ZodType<Value>; readonly maxBytes?: number }
  | { readonly kind: 'text'; readonly maxBytes: number }
  | { readonly kind: 'bytes'; readonly maxBytes: number }
  | { readonly kind: 'stream'; readonly mediaTypes: readonly string[] }

export const none = { kind: 'none' } as const
export const json = <S extends z.ZodType>(schema: S, maxBytes?: number) =>
  ({ kind: 'json', schema, ...(maxBytes === undefined ? {} : { maxBytes }) }) as const
export const text = (maxBytes = 65_536) => ({ kind: 'text', maxBytes }) as const
export const bytes = (maxBytes: number) => ({ kind: 'bytes', maxBytes }) as const
export const stream = (...mediaTypes: readonly string[]) =>
  ({ kind: 'stream', mediaTypes }) as const

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Who may call it: nobody else gets further than a refusal. */
  readonly access: Access
  /** Parameters as `:name`; a trailing `*` takes the rest of the path as parameter `*`. */
  readonly path: string
  readonly summary: string
  readonly params?: z.ZodObject
  readonly query?: z.ZodObject
  readonly body?: Body
  readonly status: 200 | 201 | 202 | 204
  readonly reply: Body
  readonly problems: readonly ProblemSlug[]
}

export type Routes = Readonly<Record<string, Route>>

/** What a handler receives, or a client sends, for one kind of body. */
export type BodyValue<B> = B extends { kind: 'json'; schema: infer S }
  ? S extends z.ZodType
    ? z.output<S>
    : never
  : B extends { kind: 'text' }
    ? string
    : B extends { kind: 'bytes' }
      ? Uint8Array
      : B extends { kind: 'stream' }
        ? AsyncIterable<Uint8Array>
        : undefined
