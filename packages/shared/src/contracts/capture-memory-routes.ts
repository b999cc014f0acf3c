/** Rehearsals, and the memory of the capture kernel: the same operations of the kernel host and, under /v1, of the console. */
import { z } from 'zod'
import { forOperators, forViewers } from './access.ts'
import { captureEnvironment, systemDescription } from './capture-environment.ts'
import { captureMemory, estimate, rehearsal, rehearsalRequest } from './capture-memory.ts'
import { partition } from './partition.ts'
import { partitionParams } from './route-parameters.ts'
import { json, type Routes } from './route.ts'

export const captureMemoryRoutes = {
  rehearse: {
    method: 'POST',
    access: forViewers,
    path: '/partitions/:partition/rehearsals',
    summary:
      'Would a dump of this partition fit? Verdict, margin and the cheapest fix, without a crash',
    params: partitionParams,
    body: json(rehearsalRequest),
    status: 200,
    reply: json(rehearsal),
    problems: ['not-found', 'wrong-state', 'invalid-configuration'],
  },
  readCaptureMemory: {
    method: 'GET',
    access: forViewers,
    path: '/partitions/:partition/capture-memory',
    summary: 'The memory of the capture kernel, page by page account and timeline of its phases',
    params: partitionParams,
    status: 200,
    reply: json(captureMemory),
    problems: ['not-found', 'wrong-state'],
  },
} as const satisfies Routes

/** What the next boot of a partition finds, a capture boot included. */
export const bootSettings = z.strictObject({
  bootArguments: z.string().max(2047).optional(),
  captureTarget: z.enum(['network', 'local']).optional(),
  /** Replaces what was there. */
  capture: captureEnvironment.optional(),
})
export type BootSettings = z.output<typeof bootSettings>

export const bootSettingsRoutes = {
  changeBootSettings: {
    method: 'PUT',
    access: forOperators,
    path: '/partitions/:partition/boot-settings',
    summary:
      'Boot arguments and capture settings of the next boot; a dump that waits is tried with them',
    params: partitionParams,
    body: json(bootSettings),
    status: 200,
    reply: json(partition),
    problems: ['not-found', 'invalid-configuration'],
  },
} as const satisfies Routes

export const estimateRoutes = {
  estimate: {
    method: 'POST',
    access: { role: 'viewer' },
    path: '/estimates',
    summary:
      'Minimum and recommended boot memory of a described system, next to what others reserve',
    body: json(systemDescription),
    status: 200,
    reply: json(estimate),
    problems: ['invalid-configuration'],
  },
} as const satisfies Routes
