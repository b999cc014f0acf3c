/**
 * Every refusal at an edge, in one registry, rendered as RFC 9457 problem details. Slugs are append-only.
 * `docs/problems.md`, the OpenAPI responses and the tests are derived from it.
 */

export interface ProblemDefinition {
  readonly status: number
  readonly title: string
  /** Whether the same request can succeed later. */
  readonly retry: 'never' | 'after-change' | 'backoff'
  /** What a person should do. */
  readonly operator: string
}

export const problems = {
  'invalid-request': {
    status: 400,
    title: 'The request does not have the form the operation asks for',
    retry: 'never',
    operator: 'Correct the fields named in `errors`.',
  },
  unauthenticated: {
    status: 401,
    title: 'The request says nothing valid about who makes it',
    retry: 'after-change',
    operator:
      'Log on with POST /v1/sessions and send the token as `authorization: Bearer …`; between services compare their key files.',
  },
  forbidden: {
    status: 403,
    title: 'Who makes the request may not do this',
    retry: 'after-change',
    operator: 'Ask somebody with the role named in `detail`; docs/access.md lists every operation.',
  },
  'too-many-requests': {
    status: 429,
    title: 'More requests than one client may make',
    retry: 'backoff',
    operator: 'Wait the seconds of the Retry-After header.',
  },
  'not-found': {
    status: 404,
    title: 'No such resource',
    retry: 'after-change',
    operator: 'Check the id; the list operation of the same resource gives the valid ones.',
  },
  'already-exists': {
    status: 409,
    title: 'The id is taken',
    retry: 'after-change',
    operator: 'Choose another id or delete the existing resource.',
  },
  'wrong-state': {
    status: 409,
    title: 'The state of the resource does not allow this operation',
    retry: 'after-change',
    operator: 'Bring the resource into one of `allowedStates` first.',
  },
  'in-use': {
    status: 409,
    title: 'The resource is used by others',
    retry: 'after-change',
    operator: 'Remove the users named in `detail` first.',
  },
  conflict: {
    status: 409,
    title: 'Somebody else changed the resource at the same time',
    retry: 'backoff',
    operator: 'Read the resource again and repeat the request.',
  },
  'payload-too-large': {
    status: 413,
    title: 'The body is larger than the operation accepts',
    retry: 'never',
    operator: 'Send at most the bytes named in `detail`.',
  },
  'unsupported-media-type': {
    status: 415,
    title: 'The media type of the body is not accepted',
    retry: 'never',
    operator: 'Use one of the media types named in `detail`.',
  },
  'range-not-satisfiable': {
    status: 416,
    title: 'The requested range lies outside the resource',
    retry: 'never',
    operator: 'Ask for bytes below the size in the Content-Range header.',
  },
  'invalid-configuration': {
    status: 422,
    title: 'A value breaks a rule of the machine',
    retry: 'never',
    operator: 'Correct the value named in `detail`.',
  },
  'invalid-image': {
    status: 422,
    title: 'The file is not a usable ppc64 vmcore',
    retry: 'never',
    operator: 'Check the file with `readelf -hl`; `detail` names the first rule it breaks.',
  },
  errno: {
    status: 422,
    title: 'The kernel refused the file operation',
    retry: 'after-change',
    operator:
      '`errno` is what the kernel returns to the writer; `detail` names the file and the condition.',
  },
  'faults-disabled': {
    status: 403,
    title: 'This service was started without faults',
    retry: 'after-change',
    operator:
      'Start all services with FAULTS_ENABLED=true, and only where losing a dump does not matter.',
  },
  'stale-boot': {
    status: 409,
    title: 'The partition has been restarted since',
    retry: 'never',
    operator: 'Nothing: the work of an earlier boot is void.',
  },
  'insufficient-capacity': {
    status: 507,
    title: 'The frame cannot provide this',
    retry: 'after-change',
    operator: 'Ask for less, or delete partitions to free memory and processors.',
  },
  'internal-error': {
    status: 500,
    title: 'The service failed',
    retry: 'backoff',
    operator: 'Report it with the correlation id; the log of the service has the cause.',
  },
  'dependency-unavailable': {
    status: 503,
    title: 'A service this one depends on does not answer',
    retry: 'backoff',
    operator: 'Look at /readyz of the services; the operation can be repeated.',
  },
} as const satisfies Record<string, ProblemDefinition>

export type ProblemSlug = keyof typeof problems

/** Facts of one occurrence beside `detail`, e.g. `state`, `allowedStates`, `errno`, `errors`. */
export type ProblemExtensions = Readonly<Record<string, unknown>>

/** A refusal. Thrown by edge code only; inside, outcomes of the field are values. */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly slug: ProblemSlug
  readonly extensions: ProblemExtensions
  constructor(
    slug: ProblemSlug,
    detail: string,
    options: { readonly extensions?: ProblemExtensions; readonly cause?: unknown } = {},
  ) {
    super(detail, options.cause === undefined ? {} : { cause: options.cause })
    this.slug = slug
    this.extensions = options.extensions ?? {}
  }
  get status(): number {
    const status = this.extensions['status']
    return typeof status === 'number' ? status : problems[this.slug].status
  }
}

/** Whether `error` is one of these refusals. */
export function isProblem(error: unknown, ...slugs: readonly ProblemSlug[]): error is Problem {
  return error instanceof Problem && slugs.includes(error.slug)
}
