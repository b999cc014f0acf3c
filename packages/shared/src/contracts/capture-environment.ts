/**
 * Capture systems as they cross HTTP: what is special about a partition's capture environment, and a whole system that
 * is described for a rehearsal or an estimate. Here is only the type of each value; which values are right, alone and
 * together, is said by `describeSystem` with rule and valid values.
 */
import { z } from 'zod'
import {
  describeRefusal,
  networkCardKinds,
  presetNames,
  reservationRules,
  targetNames,
  type CheckedDescription,
  type SystemDescription,
} from '../capture-memory/index.ts'
import { Problem } from './problems.ts'

/**
 * What the initramfs does when it could not save the dump. `reboot`, `halt` and `poweroff` are clean: Linux invalidates
 * the dump on its way down. `shell` waits for a person and keeps the dump; `dump to fallback` saves it locally.
 */
export const failureAction = z.enum(['reboot', 'shell', 'halt', 'poweroff', 'dump to fallback'])
export type FailureAction = z.output<typeof failureAction>
export const failureActionDefault: FailureAction = 'shell'

const environmentFields = {
  /** Kernel and user space whose numbers count. Default: `2011` for profile v5, `linux-7.2` for modern. */
  preset: z.enum(presetNames).optional(),
  /** How a network capture sends the dump. Default: `ssh`. */
  target: z.enum(targetNames).optional(),
  /** Default: `ehea` for profile v5, `ibmveth` for modern. */
  card: z.enum([...networkCardKinds, 'none']).optional(),
  ports: z.number().optional(),
  queues: z.number().optional(),
  luksMiB: z.number().optional(),
  initramfsMiB: z.number().optional(),
  rootfsMiB: z.number().optional(),
  threads: z.number().optional(),
  otherProcessMiB: z.number().optional(),
} as const

/** What the capture kernel of a partition finds beside boot memory and boot arguments; sizes in MiB. */
export const captureEnvironment = z.strictObject({
  ...environmentFields,
  failureAction: failureAction.optional(),
})
export type CaptureEnvironment = z.output<typeof captureEnvironment>

/** A described system; `memoryMiB` and `cpus` are required. */
export const systemDescription = z.strictObject({
  ...environmentFields,
  mechanism: z.enum(['fadump', 'kdump']).optional(),
  memoryMiB: z.number().optional(),
  memLimitMiB: z.number().optional(),
  bootMemoryMiB: z.number().optional(),
  reservation: z.enum(reservationRules).optional(),
  cpus: z.number().optional(),
  nrCpus: z.number().optional(),
  pageKiB: z.literal([4, 64]).optional(),
  multiqueue: z.boolean().optional(),
  udevWorkers: z.number().optional(),
  memoryController: z.boolean().optional(),
  hugepagesMiB: z.number().optional(),
  rootfsPercent: z.number().optional(),
  windowMiB: z.number().optional(),
  panicOnOom: z.boolean().optional(),
})
// Whoever adds a setting to the model adds it here: the two are the same, setting by setting.
void (systemDescription satisfies z.ZodType<SystemDescription>)

/** The refusals of a description as one refusal at the edge, each with its rule and the valid values. */
export function refusedDescription(
  what: string,
  { refusals }: Extract<CheckedDescription, { readonly isAccepted: false }>,
): Problem {
  return new Problem(
    'invalid-configuration',
    `${what}: ${refusals.map(describeRefusal).join('; ')}`,
    {
      extensions: { refusals },
    },
  )
}
