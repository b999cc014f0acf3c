/** The operations of the dump server: the same internally and, under /v1, on the console. */
import { z } from 'zod'
import { dump } from './dump.ts'
import { partitionId } from './ids.ts'
import { dumpParams, elfMedia, ndjsonMedia } from './route-parameters.ts'
import { json, none, stream, type Routes } from './route.ts'

export const collectorRoutes = {
  listDumps: {
    method: 'GET',
    path: '/dumps',
    summary: 'List dumps, newest first',
    query: z.strictObject({ partition: partitionId.optional() }),
    status: 200,
    reply: json(z.array(dump)),
    problems: [],
  },
  getDump: {
    method: 'GET',
    path: '/dumps/:dump',
    summary: 'One dump',
    params: dumpParams,
    status: 200,
    reply: json(dump),
    problems: ['not-found'],
  },
  getDumpManifest: {
    method: 'GET',
    path: '/dumps/:dump/manifest',
    summary: 'The digests the stored vmcore was verified against, NDJSON',
    params: dumpParams,
    status: 200,
    reply: stream(ndjsonMedia),
    problems: ['not-found', 'wrong-state'],
  },
  downloadVmcore: {
    method: 'GET',
    path: '/dumps/:dump/vmcore',
    summary: 'The stored vmcore (Range supported)',
    params: dumpParams,
    status: 200,
    reply: stream(elfMedia),
    problems: ['not-found', 'wrong-state', 'range-not-satisfiable'],
  },
  deleteDump: {
    method: 'DELETE',
    path: '/dumps/:dump',
    summary: 'Delete a stored dump',
    params: dumpParams,
    status: 204,
    reply: none,
    problems: ['not-found', 'wrong-state'],
  },
} as const satisfies Routes
