/** The event row: one transition of one aggregate, with what caused it. */
import { z } from 'zod'
import { correlationId } from './ids.ts'

export const eventAggregates = [
  'frame',
  'image',
  'partition',
  'registration',
  'kernel',
  'dump',
  'job',
  'soak',
  /** Who was let in and who was refused. The subject is the name of the operation. */
  'access',
  'user',
  /** A fault of the registry. The subject is its id. */
  'fault',
] as const

export const labEvent = z.strictObject({
  /** ISO 8601. */
  time: z.iso.datetime(),
  service: z.enum(['hypervisor', 'lpar-kernel', 'dump-collector', 'hmc-api']),
  aggregate: z.enum(eventAggregates),
  /** The id of the aggregate. */
  subject: z.string().max(64),
  event: z.string().max(64),
  from: z.string().max(32).optional(),
  to: z.string().max(32).optional(),
  correlationId: correlationId.optional(),
  /** Small facts for people; never bytes of partition memory. */
  detail: z.record(z.string(), z.union([z.string().max(1024), z.number(), z.boolean()])).optional(),
})
export type LabEvent = z.output<typeof labEvent>
