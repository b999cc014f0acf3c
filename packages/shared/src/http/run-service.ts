/** The life of a service process: configuration, build, listen, work, and an orderly end on a signal. */
import { z } from 'zod'
import {
  envInteger,
  exitCodeOf,
  loadConfig,
  shutdownOnSignal,
  systemClock,
  systemRandom,
  type Clock,
  type Environment,
  type Random,
  type SignalSource,
} from '../runtime/index.ts'
import {
  createLogger,
  createMetrics,
  logLevels,
  type Logger,
  type Metrics,
} from '../telemetry/index.ts'
import { listen } from './app.ts'
import type { Service } from './service.ts'

/** The variables every service has; its own are spread beside them. */
export const commonConfig = {
  HOST: z.string().default('127.0.0.1').describe('Address to listen on.'),
  BASE_URL: z
    .url()
    .optional()
    .describe('Where others reach this service; default: the address it listens on.'),
  LOG_LEVEL: z.enum(logLevels).default('info').describe('Least severe log level that is written.'),
  SHUTDOWN_TIMEOUT_MS: envInteger(1, 600_000)
    .prefault('10000')
    .describe('Milliseconds an orderly end may take.'),
}

/** `PORT` with the default of a service. */
export function portConfig(port: number): z.ZodType<number, string | undefined> {
  return envInteger(0, 65_535)
    .prefault(String(port))
    .describe(`TCP port to listen on; 0 takes a free one.`)
}

/** The part of `process` that a service needs; main.ts passes `process` itself. */
export interface ServiceProcess extends SignalSource {
  readonly env: Environment
  exit(code: number): void
}

/** What `build` gets beside the configuration. */
export interface ServiceParts {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly metrics: Metrics
  /** Closed after the service, last opened first: stores, queues, connections. */
  readonly adapters: AsyncDisposableStack
}

type CommonValues = z.output<z.ZodObject<typeof commonConfig>> & { readonly PORT: number }

/** Runs until SIGTERM or SIGINT; every way to end has its exit code (runtime/exit-codes.ts). */
export async function runService<Shape extends z.ZodRawShape>(options: {
  readonly name: string
  readonly process: ServiceProcess
  readonly schema: z.ZodObject<Shape>
  readonly build: (
    config: Readonly<z.output<z.ZodObject<Shape>>>,
    parts: ServiceParts,
  ) => Promise<Service> | Service
}): Promise<void> {
  const logger = createLogger({ service: options.name, level: 'info' })
  try {
    const config = loadConfig(options.schema, options.process.env)
    await serve(config, options.process, {
      name: options.name,
      build: (parts) => options.build(config, parts),
    })
  } catch (error) {
    logger.fatal({ err: error }, 'the service could not start')
    options.process.exit(exitCodeOf(error))
  }
}

async function serve(
  config: unknown,
  host: ServiceProcess,
  service: {
    readonly name: string
    readonly build: (parts: ServiceParts) => Promise<Service> | Service
  },
): Promise<void> {
  // Every schema of a service spreads `commonConfig` and has a PORT.
  const common = config as CommonValues
  const logger = createLogger({ service: service.name, level: common.LOG_LEVEL })
  const adapters = new AsyncDisposableStack()
  const running = await service.build({
    clock: systemClock,
    random: systemRandom(),
    logger,
    metrics: createMetrics({ processMetrics: true }),
    adapters,
  })
  const url = await listen(running.app, { host: common.HOST, port: common.PORT })
  await running.start(common.BASE_URL ?? url)
  logger.info({ url }, 'serving')
  shutdownOnSignal({
    signals: host,
    clock: systemClock,
    timeoutMs: common.SHUTDOWN_TIMEOUT_MS,
    closers: [
      { name: 'service', close: async () => running[Symbol.asyncDispose]() },
      { name: 'adapters', close: async () => adapters.disposeAsync() },
    ],
    onClosed: (code, failures) => {
      logger.info({ code, failures: failures.map(({ closer }) => closer) }, 'stopped')
      host.exit(code)
    },
  })
}
