/** docs/metrics.md: every metric of every service, from the table that registers them. */
import { metricTable } from '@fadump-lab/shared/telemetry'
import { heading, table } from './markdown.ts'

const introduction = `
Every service answers \`GET /metrics\` in the text format of Prometheus, to the monitor's credential and to users. A service
counts what it does itself: sum over instances. The usual metrics of the process (\`process_*\`, \`nodejs_*\`) come with them.
`

export function metricsPage(): string {
  const rows = Object.entries(metricTable).map(([name, { kind, labels, help }]) => [
    `\`${name}\``,
    kind,
    labels.map((label) => `\`${label}\``).join(', '),
    help,
  ])
  return [
    heading('Metrics', 'packages/shared/src/telemetry/metrics.ts'),
    introduction.trimStart(),
    `${table(['metric', 'kind', 'labels', 'meaning'], rows)}\n`,
  ].join('\n')
}
