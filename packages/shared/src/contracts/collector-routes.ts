/** The operations of the dump server: the same internally and, under /v1, on the console. */
import { z } from 'zod'
import { forOperators, forViewers } from './access.ts'
import { dump, scrub } from './dump.ts'
import { partitionId } from './ids.ts'
import { dumpParams, elfMedia, ndjsonMedia } from './route-parameters.ts'
import { json, none, stream, type Routes } from './route.ts'

export const collectorRoutes = {
  listDumps: {
    method: 'GET',
    access: forViewers,
    path: '/dumps',
    summary: 'List dumps, newest first',
    query: z.strictObject({ partition: partitionId.optional() }),
    status: 200,
    reply: json(z.array(dump)),
    problems: [],
  },
  getDump: {
    method: 'GET',
    access: forViewers,
    path: '/dumps/:dump',
    summary: 'One dump',
    params: dumpParams,
    status: 200,
    reply: json(dump),
    problems: ['not-found'],
  },
  getDumpManifest: {
    method: 'GET',
    access: forOperators,
    path: '/dumps/:dump/manifest',
    summary: 'The digests the stored vmcore was verified against, NDJSON',
    params: dumpParams,
    status: 200,
    reply: stream(ndjsonMedia),
    problems: ['not-found', 'wrong-state'],
  },
  downloadVmcore: {
    method: 'GET',
    access: forOperators,
    path: '/dumps/:dump/vmcore',
    summary: 'The stored vmcore (Range supported)',
    params: dumpParams,
    status: 200,
    reply: stream(elfMedia),
    problems: ['not-found', 'wrong-state', 'range-not-satisfiable'],
  },
  deleteDump: {
    method: 'DELETE',
    access: forOperators,
    path: '/dumps/:dump',
    summary: 'Delete a stored dump',
    params: dumpParams,
    status: 204,
    reply: none,
    problems: ['not-found', 'wrong-state'],
  },
  pinDump: {
    method: 'PUT',
    access: forOperators,
    path: '/dumps/:dump/pin',
    summary: 'Pin a dump: neither retention nor the need for room removes it',
    params: dumpParams,
    status: 200,
    reply: json(dump),
    problems: ['not-found'],
  },
  unpinDump: {
    method: 'DELETE',
    access: forOperators,
    path: '/dumps/:dump/pin',
    summary: 'Take the pin from a dump',
    params: dumpParams,
    status: 200,
    reply: json(dump),
    problems: ['not-found'],
  },
  getScrub: {
    method: 'GET',
    access: forViewers,
    path: '/scrub',
    summary: 'The present or last pass over the stored dumps in search of bit rot',
    status: 200,
    reply: json(scrub),
    problems: [],
  },
  startScrub: {
    method: 'POST',
    access: forOperators,
    path: '/scrub',
    summary: 'Compare all stored dumps with their manifests now',
    status: 202,
    reply: json(scrub),
    problems: [],
  },
} as const satisfies Routes
