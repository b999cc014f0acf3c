/** RFC 9457 problem details: how a refusal crosses HTTP, in both directions. */
import { z } from 'zod'
import { Problem, problems, type ProblemSlug } from '../contracts/index.ts'
import { redact } from '../runtime/index.ts'

export const problemMedia = 'application/problem+json'
const typePrefix = '/problems/'

const wireProblem = z.looseObject({
  type: z.string(),
  title: z.string().optional(),
  status: z.int(),
  detail: z.string().optional(),
})

/** The body of a refusal. `instance` identifies the request. */
export function problemBody(problem: Problem, correlationId: string): Record<string, unknown> {
  return {
    type: `${typePrefix}${problem.slug}`,
    title: problems[problem.slug].title,
    status: problem.status,
    detail: problem.message,
    instance: `urn:fadump-lab:request:${correlationId}`,
    correlationId,
    operator: problems[problem.slug].operator,
    ...problem.extensions,
  }
}

/** The refusal another service answered with; anything unknown becomes `dependency-unavailable`. */
export function parseProblem(body: unknown, from: string): Problem {
  const parsed = wireProblem.safeParse(body)
  const slug = parsed.success ? parsed.data.type.slice(typePrefix.length) : ''
  if (!parsed.success || !isSlug(slug)) {
    return new Problem(
      'dependency-unavailable',
      `${from} answered with something that is no problem document`,
    )
  }
  const { type: _type, title: _title, detail, instance: _instance, ...rest } = parsed.data
  const { correlationId: _correlationId, operator: _operator, ...extensions } = rest
  return new Problem(slug, detail ?? problems[slug].title, { extensions })
}

function isSlug(text: string): text is ProblemSlug {
  return Object.hasOwn(problems, text)
}

/** Any thrown value as a refusal; what is not one already is an internal error, its message kept for the log only. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  const status = (error as { readonly statusCode?: unknown }).statusCode
  if (status === 404)
    return new Problem('not-found', 'no such route; see /openapi.json of the console')
  if (status === 413) return new Problem('payload-too-large', errorText(error))
  if (status === 415) return new Problem('unsupported-media-type', errorText(error))
  if (typeof status === 'number' && status < 500)
    return new Problem('invalid-request', errorText(error))
  return new Problem('internal-error', 'the service met an error it did not expect', {
    cause: error,
  })
}

function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Characters of a refused value that a detail repeats. */
const foundCharactersMax = 64

/** Issues of a schema as RFC 9457 asks: what was found, and where as a JSON pointer. `value` is what was refused. */
export function invalidRequest(place: string, error: z.ZodError, value: unknown): Problem {
  const errors = error.issues.map((issue) => ({
    detail: `${issue.message}${found(issue, value)}`,
    pointer: `#/${issue.path.map(String).join('/')}`,
  }))
  const [first = { detail: 'invalid', pointer: '#/' }] = errors
  const where = first.pointer.slice(2)
  const detail = [place, ...(where === '' ? [] : [where]), first.detail].join(': ')
  return new Problem('invalid-request', detail, { extensions: { errors } })
}

/** The value that broke the rule, unless its name says that it is secret; nothing when it is absent, or when the message names it already. */
function found(issue: z.core.$ZodIssue, value: unknown): string {
  if (issue.code === 'unrecognized_keys') return ''
  const culprit = issue.path.reduce(member, value)
  if (culprit === undefined || (typeof culprit === 'object' && culprit !== null)) return ''
  const text = redact(String(issue.path.at(-1) ?? ''), JSON.stringify(culprit))
  return text.length > foundCharactersMax
    ? `; found ${text.slice(0, foundCharactersMax)}… (${text.length} characters)`
    : `; found ${text}`
}

function member(value: unknown, key: PropertyKey): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  return Object.getOwnPropertyDescriptor(value, key)?.value
}
