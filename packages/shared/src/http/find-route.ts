/** Which declared route a plain path is for, by the rules of fastify's router: of two that fit, the more literal one. */
import type { Route } from '../contracts/index.ts'
import { invariant } from '../units/index.ts'

/** Longer parameters are none, here and for fastify. */
export const parameterCharactersMax = 256

/** Nothing to decode and no empty segment, which routers see in different ways. */
const plainPath = /^(?:\/[\w.~!$&'()+,:;=@-]+)+$/
const patternPart = /^(?:[\w.-]+|:[a-z]+|\*)$/

export interface FoundRoute<Row> {
  readonly row: Row
  readonly params: Readonly<Record<string, string>>
}

interface Pattern<Row> {
  readonly row: Row
  readonly method: string
  readonly parts: readonly string[]
}

export type RouteFinder<Row> = (method: string, path: string) => FoundRoute<Row> | undefined

/** `undefined` from what it gives: no route, or a path that is not plain. */
export function routeFinder<Row extends { readonly route: Pick<Route, 'method' | 'path'> }>(
  rows: readonly Row[],
): RouteFinder<Row> {
  const patterns = rows.map((row) => patternOf(row)).toSorted(byLiteralness)
  return (method, path) => {
    if (!plainPath.test(path)) return undefined
    const segments = path.slice(1).split('/')
    for (const pattern of patterns) {
      if (pattern.method !== method) continue
      const params = paramsOf(pattern.parts, segments)
      if (params !== undefined) return { row: pattern.row, params }
    }
    return undefined
  }
}

function patternOf<Row extends { readonly route: Pick<Route, 'method' | 'path'> }>(
  row: Row,
): Pattern<Row> {
  const { method, path } = row.route
  const parts = path.slice(1).split('/')
  const isKnown = parts.every((part, at) => patternPart.test(part) && (part !== '*' || at > 0))
  invariant(isKnown, `route ${path} must be of literals, :parameters and at most a last *`)
  return { row, method, parts }
}

/** The first part that differs decides. */
function byLiteralness(a: Pattern<unknown>, b: Pattern<unknown>): number {
  const length = Math.max(a.parts.length, b.parts.length)
  for (let at = 0; at < length; at += 1) {
    const difference = rank(a.parts[at]) - rank(b.parts[at])
    if (difference !== 0) return difference
  }
  return 0
}

function rank(part: string | undefined): number {
  if (part === '*') return 2
  return part?.startsWith(':') === true ? 1 : 0
}

function paramsOf(
  parts: readonly string[],
  segments: readonly string[],
): Record<string, string> | undefined {
  const isOpen = parts.at(-1) === '*'
  if (isOpen ? segments.length < parts.length : segments.length !== parts.length) return undefined
  const params: Record<string, string> = {}
  for (const [at, part] of parts.entries()) {
    const segment = segments[at] ?? ''
    if (part === '*') params['*'] = segments.slice(at).join('/')
    else if (!part.startsWith(':')) {
      if (part !== segment) return undefined
    } else if (segment.length > parameterCharactersMax) return undefined
    else params[part.slice(1)] = segment
  }
  return params
}
