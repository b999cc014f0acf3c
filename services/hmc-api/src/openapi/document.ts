/** The OpenAPI 3.1 document of the console, derived from its route table and the problem registry. */
import {
  problems,
  type Body,
  type ProblemSlug,
  type Route,
  type Routes,
} from '@fadump-lab/shared/contracts'
import { problemMedia } from '@fadump-lab/shared/http'
import { z } from 'zod'

type Json = Readonly<Record<string, unknown>>

/** Refusals every operation can answer with. */
const everywhere: readonly ProblemSlug[] = [
  'too-many-requests',
  'invalid-request',
  'payload-too-large',
  'dependency-unavailable',
  'internal-error',
]

export function openApiDocument(routes: Routes): Json {
  const paths: Record<string, Record<string, Json>> = {}
  for (const [name, route] of Object.entries(routes)) {
    const path = route.path.replace(/:([a-z]+)/g, '{$1}').replace(/\*$/, '{path}')
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(name, route) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'fadump-lab console',
      version: '1',
      description:
        'A POWER machine room: create partitions, crash them, collect their vmcores. ' +
        'Refusals are RFC 9457 problem details; long operations answer 202 with a job. ' +
        'POST /v1/sessions gives the bearer token that all other operations need.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths,
    security: [{ session: [] }],
    components: {
      schemas: { Problem: problemSchema },
      securitySchemes: { session: { type: 'http', scheme: 'bearer' } },
    },
  }
}

function operation(name: string, route: Route): Json {
  return {
    operationId: name,
    summary: route.summary,
    ...accessOf(route),
    tags: [route.path.split('/')[2] ?? ''],
    parameters: [...parameters('path', route.params), ...parameters('query', route.query)],
    ...(route.body === undefined || route.body.kind === 'none'
      ? {}
      : { requestBody: { required: true, content: content(route.body) } }),
    responses: { [route.status]: success(route), ...refusals(route) },
  }
}

/** Who may call it: the default of the document is a session of some kind. */
function accessOf({ access }: Route): Json {
  return access.role === 'anyone'
    ? { security: [] }
    : { description: `For the role ${access.role ?? 'of nobody'} and those above it.` }
}

function parameters(place: 'path' | 'query', schema: z.ZodObject | undefined): Json[] {
  if (schema === undefined) return []
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: 'input' })
  return Object.entries(properties).map(([name, property]) => ({
    name: name === '*' ? 'path' : name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema: property,
  }))
}

function content(body: Body): Json {
  switch (body.kind) {
    case 'none':
      return {}
    case 'json':
      // Codecs are documented by their JSON form, which is their input side in both directions.
      return { 'application/json': { schema: z.toJSONSchema(body.schema, { io: 'input' }) } }
    case 'text':
      return { 'text/plain': { schema: { type: 'string' } } }
    case 'bytes':
      return { 'application/octet-stream': {} }
    case 'stream':
      return Object.fromEntries(body.mediaTypes.map((media) => [media, {}]))
  }
}

function success(route: Route): Json {
  const body = content(route.reply)
  return {
    description: route.summary,
    ...(Object.keys(body).length === 0 ? {} : { content: body }),
    ...(route.status === 202
      ? { headers: { location: { description: 'The job to poll', schema: { type: 'string' } } } }
      : {}),
  }
}

/** Problems of one status share a response. */
function refusals(route: Route): Json {
  const closed: readonly ProblemSlug[] =
    route.access.role === 'anyone' ? [] : ['unauthenticated', 'forbidden']
  const slugs = [...new Set([...route.problems, ...closed, ...everywhere])]
  const byStatus = Map.groupBy(slugs, (slug) => problems[slug].status)
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => [
      status,
      {
        description: group.map((slug) => `${slug}: ${problems[slug].title}`).join('; '),
        content: { [problemMedia]: { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    ]),
  )
}

const problemSchema: Json = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail'],
  properties: {
    type: { type: 'string', enum: Object.keys(problems).map((slug) => `/problems/${slug}`) },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    instance: { type: 'string' },
    correlationId: { type: 'string' },
    operator: { type: 'string', description: 'What a person should do.' },
  },
}
