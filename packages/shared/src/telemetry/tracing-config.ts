/** The standard variables of OpenTelemetry that decide whether there are traces, and how many. */
import { z } from 'zod'

export const samplers = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const

const ratio = z.codec(
  z.string().regex(/^(0(\.[0-9]+)?|1(\.0+)?)$/, 'must be a decimal number between 0 and 1'),
  z.number(),
  { decode: Number, encode: String },
)

export const tracingConfig = {
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe(
      'Base URL of an OpenTelemetry collector that takes OTLP over HTTP; traces go to `/v1/traces` below it. Not set: no traces.',
    ),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('The whole URL for traces, instead of the above.'),
  OTEL_SDK_DISABLED: z.stringbool().prefault('false').describe('No traces, whatever else is set.'),
  OTEL_TRACES_SAMPLER: z
    .enum(samplers)
    .default('parentbased_always_on')
    .describe('Which traces are recorded, by the name OpenTelemetry has for it.'),
  OTEL_TRACES_SAMPLER_ARG: ratio
    .prefault('1')
    .describe('The share of traces that a `traceidratio` records, 0 to 1.'),
}

export type TracingConfig = z.output<z.ZodObject<typeof tracingConfig>>

/** Where spans are sent; `undefined` when they are not. */
export function tracesUrl(config: TracingConfig): string | undefined {
  if (config.OTEL_SDK_DISABLED) return undefined
  const base = config.OTEL_EXPORTER_OTLP_ENDPOINT?.replace(/\/+$/, '')
  return config.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? (base && `${base}/v1/traces`)
}
