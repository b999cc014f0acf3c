/** The collector's environment variables, each with unit, default and purpose. */
import { commonConfig, portConfig } from '@fadump-lab/shared/http'
import { envInteger } from '@fadump-lab/shared/runtime'
import { z } from 'zod'
import type { CollectorSettings } from './deps.ts'

const bytesPerMebibyte = 1024 * 1024

export const configSchema = z.object({
  ...commonConfig,
  PORT: portConfig(8083),
  REDIS_CONTROL_URL: z.url().describe('Redis that carries queues and events.'),
  DUMP_ROOT: z.string().describe('Directory of the dump store; made when absent.'),
  CAPTURE_CONCURRENCY: envInteger(1, 256)
    .prefault('4')
    .describe('Dumps that this process collects at the same time.'),
  CAPTURE_WINDOW_MIB: envInteger(1, 65_536)
    .prefault('64')
    .describe('MiB received between two durable checkpoints; at most so much is sent again.'),
  CAPTURE_IDLE_TIMEOUT_MS: envInteger(100, 3_600_000)
    .prefault('60000')
    .describe('Milliseconds without a byte after which a kernel counts as cut off.'),
})
export type CollectorConfig = Readonly<z.output<typeof configSchema>>

/** What the service itself is told of the environment. */
export function settingsOf(config: CollectorConfig): CollectorSettings {
  return {
    concurrency: config.CAPTURE_CONCURRENCY,
    windowBytes: config.CAPTURE_WINDOW_MIB * bytesPerMebibyte,
    idleTimeoutMs: config.CAPTURE_IDLE_TIMEOUT_MS,
  }
}
