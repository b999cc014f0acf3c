/** The kernel host's environment variables, each with unit, default and purpose. */
import { commonConfig, portConfig } from '@fadump-lab/shared/http'
import { envInteger } from '@fadump-lab/shared/runtime'
import { z } from 'zod'
import type { LparKernelSettings } from './deps.ts'

export const configSchema = z.object({
  ...commonConfig,
  PORT: portConfig(8082),
  HYPERVISOR_URL: z
    .url()
    .default('http://127.0.0.1:8081')
    .describe('Base URL of the hypervisor service.'),
  REDIS_MEMORY_URL: z
    .url()
    .default('redis://127.0.0.1:6379/0')
    .describe('Redis that holds partition memory.'),
  REDIS_MEMORY_PASSWORD_FILE: z
    .string()
    .optional()
    .describe(
      'File with the password of the user in REDIS_MEMORY_URL; default: the one in the URL.',
    ),
  REDIS_CONTROL_URL: z
    .url()
    .default('redis://127.0.0.1:6379/0')
    .describe('Redis that carries queues and events.'),
  REDIS_CONTROL_PASSWORD_FILE: z
    .string()
    .optional()
    .describe(
      'File with the password of the user in REDIS_CONTROL_URL; default: the one in the URL.',
    ),
  DUMP_KEY_FILE: z
    .string()
    .describe('File with the key of dump tokens, which kernel hosts and collectors share.'),
  CAPTURE_DIRECTORY: z
    .string()
    .optional()
    .describe(
      'Directory with the sockets of capture processes, one for each memory limit; default: none is asked.',
    ),
  BOOT_CONCURRENCY: envInteger(1, 1024)
    .prefault('16')
    .describe('Partitions that this process boots at the same time.'),
  STREAM_WINDOWS: envInteger(1, 64)
    .prefault('4')
    .describe('Windows of 1 MiB that one vmcore stream reads ahead.'),
})
export type LparKernelConfig = Readonly<z.output<typeof configSchema>>

/** What the service itself is told of the environment. */
export function settingsOf(config: LparKernelConfig): LparKernelSettings {
  return { bootConcurrency: config.BOOT_CONCURRENCY, streamWindows: config.STREAM_WINDOWS }
}

/** For compositions without an environment: the demo and tests. */
export const defaultSettings: LparKernelSettings = { bootConcurrency: 16, streamWindows: 4 }
