/** What one process of a service takes and holds at the moment: what has to be as before when work is over. */
import { z } from 'zod'
import { byConsole } from './access.ts'
import { json, type Routes } from './route.ts'

export const vitals = z.strictObject({
  /** Host and process id: services that share one have the same memory. */
  process: z.string().max(128),
  residentBytes: z.int().min(0),
  heapBytes: z.int().min(0),
  /** Open file descriptors; absent where the system does not tell. */
  descriptors: z.int().min(0).optional(),
  /** What it keeps for others, by name: jobs of its queues, pages of memory, dumps. */
  holds: z.record(z.string().max(64), z.int().min(0)),
})
export type Vitals = z.output<typeof vitals>

/** Every service has it. */
export const vitalsRoutes = {
  getVitals: {
    method: 'GET',
    access: byConsole,
    path: '/vitals',
    summary: 'Memory, descriptors and what this process holds',
    status: 200,
    reply: json(vitals),
    problems: [],
  },
} as const satisfies Routes
