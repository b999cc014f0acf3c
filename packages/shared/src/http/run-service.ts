/** The life of a service process: configuration, build, listen, work, and an orderly end on a signal. */
import { hostname } from 'node:os'
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
  startTracing,
  tracingConfig,
  type Logger,
  type Metrics,
} from '../telemetry/index.ts'
import { readKeyFile, readVerifiersFile, type ServiceIdentity } from '../identity/index.ts'
import type { ServiceName } from '../contracts/index.ts'
import { announcedUrl } from './announced-url.ts'
import { listen } from './app.ts'
import type { Service } from './service.ts'

/** The variables every service has; its own are spread beside them. */
export const commonConfig = {
  HOST: z.string().default('127.0.0.1').describe('Address to listen on.'),
  BASE_URL: z
    .url()
    .optional()
    .describe(
      'Where others reach this service; default: the address it listens on, or the name of its machine when it listens on all.',
    ),
  CREDENTIAL_FILE: z.string().describe('File with the key of this service, shown to the others.'),
  CALLERS_FILE: z
    .string()
    .describe('File with the verifiers of all callers, by which this service knows them.'),
  LOG_LEVEL: z.enum(logLevels).default('info').describe('Least severe log level that is written.'),
  SHUTDOWN_TIMEOUT_MS: envInteger(1, 600_000)
    .prefault('10000')
    .describe('Milliseconds an orderly end may take.'),
  FAULTS_ENABLED: z
    .stringbool()
    .prefault('false')
    .describe(
      'Whether faults can be armed in this process (docs/faults.md): only where losing a dump does not matter.',
    ),
  ...tracingConfig,
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
  readonly identity: ServiceIdentity
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
  readonly name: ServiceName
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
    readonly name: ServiceName
    readonly build: (parts: ServiceParts) => Promise<Service> | Service
  },
): Promise<void> {
  // Every schema of a service spreads `commonConfig` and has a PORT.
  const common = config as CommonValues
  const logger = createLogger({ service: service.name, level: common.LOG_LEVEL })
  const identity = await readIdentity(service.name, common)
  const tracing = await startTracing({ service: service.name, config: common, logger })
  const adapters = new AsyncDisposableStack()
  const running = await service.build({
    identity,
    clock: systemClock,
    random: systemRandom(),
    logger,
    metrics: createMetrics({ processMetrics: true }),
    adapters,
  })
  const url = await listen(running.app, { host: common.HOST, port: common.PORT })
  const announced = announcedUrl(url, { host: common.HOST, hostname: hostname() })
  await running.start(common.BASE_URL ?? announced)
  logger.info({ url }, 'serving')
  shutdownOnSignal({
    signals: host,
    clock: systemClock,
    timeoutMs: common.SHUTDOWN_TIMEOUT_MS,
    closers: [
      { name: 'service', close: async () => running[Symbol.asyncDispose]() },
      { name: 'adapters', close: async () => adapters.disposeAsync() },
      { name: 'traces', close: async () => tracing?.[Symbol.asyncDispose]() },
    ],
    onClosed: (code, failures) => {
      logger.info({ code, failures: failures.map(({ closer }) => closer) }, 'stopped')
      host.exit(code)
    },
  })
}

async function readIdentity(name: ServiceName, config: CommonValues): Promise<ServiceIdentity> {
  const { CREDENTIAL_FILE, CALLERS_FILE } = config
  return {
    name,
    secret: await readKeyFile({ variable: 'CREDENTIAL_FILE', path: CREDENTIAL_FILE }, 'service'),
    verifiers: await readVerifiersFile({ variable: 'CALLERS_FILE', path: CALLERS_FILE }),
  }
}
