/** The hypervisor's environment variables, each with unit, default and purpose. */
import { frameId } from '@fadump-lab/shared/contracts'
import { commonConfig, portConfig } from '@fadump-lab/shared/http'
import { envInteger } from '@fadump-lab/shared/runtime'
import { byteLength, MiB, TiB } from '@fadump-lab/shared/units'
import { z } from 'zod'
import type { HypervisorSettings } from './deps.ts'

/** 8 PiB: the largest amount that is exact as a JSON number of bytes. */
const mebibytesMax = 2 ** 33

export const configSchema = z.object({
  ...commonConfig,
  PORT: portConfig(8081),
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
    .describe('Redis that holds queues and events.'),
  REDIS_CONTROL_PASSWORD_FILE: z
    .string()
    .optional()
    .describe(
      'File with the password of the user in REDIS_CONTROL_URL; default: the one in the URL.',
    ),
  FRAME_ID: frameId.default('server-1').describe('The frame made at start when there is none.'),
  FRAME_MEMORY_MIB: envInteger(1, mebibytesMax)
    .prefault('4194304')
    .describe('Memory of that frame in MiB.'),
  FRAME_PROCESSORS: envInteger(1, 65_536).prefault('2048').describe('Processors of that frame.'),
  SYSTEM_RESET_TIMEOUT_MS: envInteger(1, 60_000)
    .prefault('5000')
    .describe(
      'Milliseconds firmware waits after a system reset before it acts alone: for a host to take it, then for the interlock.',
    ),
  IMAGE_MIB_MAX: envInteger(1, mebibytesMax)
    .prefault('1048576')
    .describe('The largest vmcore to import, after decompression, in MiB.'),
})
export type HypervisorConfig = Readonly<z.output<typeof configSchema>>

/** What the service itself is told of the environment. */
export function settingsOf(config: HypervisorConfig): HypervisorSettings {
  return {
    defaultFrame: {
      id: config.FRAME_ID,
      memoryBytes: byteLength(BigInt(config.FRAME_MEMORY_MIB) * MiB),
      processors: config.FRAME_PROCESSORS,
    },
    systemResetTimeoutMs: config.SYSTEM_RESET_TIMEOUT_MS,
    imageBytesMax: byteLength(BigInt(config.IMAGE_MIB_MAX) * MiB),
  }
}

/** For compositions without an environment: the same values as the defaults above. */
export const defaultSettings: HypervisorSettings = {
  defaultFrame: { id: 'server-1', memoryBytes: byteLength(4n * TiB), processors: 2048 },
  systemResetTimeoutMs: 5000,
  imageBytesMax: byteLength(TiB),
}
