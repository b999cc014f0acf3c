/** Every kind of id, in one append-only list. All are lower-case labels, so that they fit keys, paths and URLs. */
import { z } from 'zod'

const label = (what: string, max = 48) =>
  z
    .string()
    .max(max)
    .regex(
      /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/,
      `${what} must be lower-case letters, digits and inner hyphens`,
    )

export const frameId = label('a frame id', 32)
export const partitionId = label('a partition id', 32)
export const imageId = label('an image id', 32)
/**
 * `<partition>-<incarnation>-<crash number>`: one crash, one dump. The incarnation is drawn when a partition is created,
 * so that a partition made again under an old name never meets an old dump.
 */
export const dumpId = label('a dump id', 48)
export const jobId = label('a job id', 64)
export const soakId = label('a soak id', 32)
export const userName = label('a user name', 32)
export const sessionId = label('a session id', 64)
/** Follows one request through all services. */
export const correlationId = label('a correlation id', 64)
