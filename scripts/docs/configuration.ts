/** docs/configuration.md: every environment variable of every service, from the schemas that read them. */
import { z } from 'zod'
import { configSchema as collector } from '../../services/dump-collector/src/config.ts'
import { configSchema as console } from '../../services/hmc-api/src/config.ts'
import { configSchema as hypervisor } from '../../services/hypervisor/src/config.ts'
import { configSchema as kernel } from '../../services/lpar-kernel/src/config.ts'
import { heading, table } from './markdown.ts'

const services: Readonly<Record<string, z.ZodObject>> = {
  hypervisor,
  'lpar-kernel': kernel,
  'dump-collector': collector,
  'hmc-api': console,
}

const introduction = `
Variables of the services, when each is a process of its own. An empty variable counts as not set. A service whose
configuration is refused names every refused variable at once and ends with exit code 78.
`

export function configuration(): string {
  const sections = Object.entries(services).map(
    ([name, schema]) =>
      `## ${name}\n\n${table(['variable', 'default', 'meaning'], rows(schema))}\n`,
  )
  return [
    heading('Configuration', 'services/*/src/config.ts'),
    introduction.trimStart(),
    ...sections,
  ].join('\n')
}

/** One row a variable. */
function rows(schema: z.ZodObject): readonly (readonly string[])[] {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: 'input' })
  return Object.entries(properties).map(([name, property]) => {
    const { default: value, description = '' } = typeof property === 'object' ? property : {}
    const absent = required.includes(name) ? 'required' : 'none'
    return [`\`${name}\``, typeof value === 'string' ? `\`${value}\`` : absent, description]
  })
}
