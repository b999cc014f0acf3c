/** The collector's environment variables, each with unit, default and purpose. */
import { commonConfig, portConfig } from '@fadump-lab/shared/http'
import { envInteger } from '@fadump-lab/shared/runtime'
import { z } from 'zod'
import type { CollectorSettings } from './deps.ts'

const bytesPerMebibyte = 1024 * 1024
const msPerMinute = 60_000
const msPerHour = 60 * msPerMinute

export const configSchema = z.object({
  ...commonConfig,
  PORT: portConfig(8083),
  REDIS_CONTROL_URL: z.url().describe('Redis that carries queues and events.'),
  REDIS_CONTROL_PASSWORD_FILE: z
    .string()
    .optional()
    .describe(
      'File with the password of the user in REDIS_CONTROL_URL; default: the one in the URL.',
    ),
  DUMP_ROOT: z.string().describe('Directory of the dump store; made when absent.'),
  DUMP_KEY_FILE: z
    .string()
    .describe('File with the key of dump tokens, which kernel hosts and collectors share.'),
  CAPTURE_CONCURRENCY: envInteger(1, 256)
    .prefault('4')
    .describe('Dumps that this process collects at the same time.'),
  CAPTURE_WINDOW_MIB: envInteger(1, 65_536)
    .prefault('64')
    .describe('MiB received between two durable checkpoints; at most so much is sent again.'),
  CAPTURE_IDLE_TIMEOUT_MS: envInteger(100, 3_600_000)
    .prefault('60000')
    .describe('Milliseconds without a byte after which a kernel counts as cut off.'),
  RETENTION_AGE_HOURS: envInteger(0, 87_600)
    .prefault('0')
    .describe('Hours after which a stored dump is removed; 0: never.'),
  RETENTION_DUMPS_PER_PARTITION: envInteger(0, 1_000_000)
    .prefault('0')
    .describe('Stored dumps that one partition keeps, the newest; 0: any number.'),
  RETENTION_MIB: envInteger(0, 1_073_741_824)
    .prefault('0')
    .describe(
      'MiB that all stored dumps take together; beyond, the partition that takes most loses its oldest; 0: what the disk has.',
    ),
  RETENTION_GRACE_MINUTES: envInteger(0, 525_600)
    .prefault('60')
    .describe(
      'Minutes in which no dump is removed for any reason, nor at any time while it is pinned.',
    ),
  STORE_RESERVE_MIB: envInteger(1, 1_048_576)
    .prefault('64')
    .describe('MiB of the disk that no vmcore may take.'),
  CAPTURES_PER_HOUR_MAX: envInteger(0, 100_000)
    .prefault('600')
    .describe('Captures of one partition that this process begins within an hour; 0: any number.'),
  HOUSEKEEPING_SECONDS: envInteger(1, 86_400)
    .prefault('60')
    .describe('Seconds between two rounds of retention and of a look at captures that wait.'),
  SCRUB_INTERVAL_HOURS: envInteger(0, 8760)
    .prefault('168')
    .describe(
      'Hours after which a stored dump is compared with its manifest again; 0: never by itself.',
    ),
  SCRUB_MIB_PER_SECOND: envInteger(1, 65_536)
    .prefault('32')
    .describe('MiB a second that scrubbing reads at most.'),
})
export type CollectorConfig = Readonly<z.output<typeof configSchema>>

/** What the service itself is told of the environment. */
export function settingsOf(config: CollectorConfig): CollectorSettings {
  return {
    concurrency: config.CAPTURE_CONCURRENCY,
    windowBytes: config.CAPTURE_WINDOW_MIB * bytesPerMebibyte,
    idleTimeoutMs: config.CAPTURE_IDLE_TIMEOUT_MS,
    retention: {
      ageMsMax: config.RETENTION_AGE_HOURS * msPerHour,
      dumpsPerPartitionMax: config.RETENTION_DUMPS_PER_PARTITION,
      bytesMax: config.RETENTION_MIB * bytesPerMebibyte,
      graceMs: config.RETENTION_GRACE_MINUTES * msPerMinute,
    },
    reserveBytes: config.STORE_RESERVE_MIB * bytesPerMebibyte,
    capturesPerHourMax: config.CAPTURES_PER_HOUR_MAX,
    housekeepingMs: config.HOUSEKEEPING_SECONDS * 1000,
    scrubIntervalMs: config.SCRUB_INTERVAL_HOURS * msPerHour,
    scrubBytesPerSecond: config.SCRUB_MIB_PER_SECOND * bytesPerMebibyte,
  }
}
