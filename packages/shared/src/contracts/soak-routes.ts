/** Soaks on the console. Plans with faults need an administrator, whatever the route's own row says. */
import { z } from 'zod'
import { forOperators, forViewers } from './access.ts'
import { soakId } from './ids.ts'
import { json, type Routes } from './route.ts'
import { soakReport } from './soak-report.ts'
import { newSoak, soak } from './soak.ts'

const params = z.strictObject({ soak: soakId })

export const soakRoutes = {
  startSoak: {
    method: 'POST',
    access: forOperators,
    path: '/soaks',
    summary:
      'Start a soak: a fleet that crashes, every crash checked. With faults for administrators only',
    body: json(newSoak),
    status: 202,
    reply: json(soak),
    problems: ['invalid-request', 'forbidden', 'conflict', 'faults-disabled'],
  },
  listSoaks: {
    method: 'GET',
    access: forViewers,
    path: '/soaks',
    summary: 'List soaks, newest first',
    status: 200,
    reply: json(z.array(soak)),
    problems: [],
  },
  getSoak: {
    method: 'GET',
    access: forViewers,
    path: '/soaks/:soak',
    summary: 'One soak and how far it is',
    params,
    status: 200,
    reply: json(soak),
    problems: ['not-found'],
  },
  getSoakReport: {
    method: 'GET',
    access: forViewers,
    path: '/soaks/:soak/report',
    summary: 'What a soak came to, crash by crash',
    params,
    status: 200,
    reply: json(soakReport),
    problems: ['not-found', 'wrong-state'],
  },
  stopSoak: {
    method: 'DELETE',
    access: forOperators,
    path: '/soaks/:soak',
    summary: 'Stop a soak: crashes under way are ended, the fleet is taken down, the report stays',
    params,
    status: 202,
    reply: json(soak),
    problems: ['not-found'],
  },
} as const satisfies Routes
