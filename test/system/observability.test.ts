/** What deploy/ shows of the services is what they say. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { metricTable } from '@fadump-lab/shared/telemetry'
import { credentialFile } from '../../scripts/lab/init/secrets.ts'
import { isTest, readText, sourceFiles } from '../style/sources.ts'

test('the dashboard shows metrics that the services have', () => {
  const declared = Object.keys(metricTable)
  const dashboard = readText('deploy/observability/grafana/dashboards/fadump-lab.json')
  const shown = [...dashboard.matchAll(/\bfadump_[a-z_]+/g)].map(([name]) =>
    name.replace(/_(?:bucket|sum|count)$/, ''),
  )
  assert.ok(shown.length > 0)
  assert.deepEqual(
    shown.filter((name) => !declared.includes(name)),
    [],
  )
})

test('Prometheus asks every service, where it listens, by the monitor’s credential', () => {
  const scrape = readText('deploy/observability/prometheus.yml')
  const compose = readText('docker-compose.yml')
  const own = [...compose.matchAll(/image: fadump-lab\/([a-z-]+):/g)].map(([, name]) => name)
  const services = new Set(own.filter((name) => name !== 'init'))
  const [, names = ''] = /names: \[([^\]]*)\]/.exec(scrape) ?? []
  assert.deepEqual(new Set(names.split(/,\s*/)), services)
  const [, port] = /\bPORT=(\d+)/.exec(readText('Dockerfile')) ?? []
  assert.match(scrape, new RegExp(`\\bport: ${port}\\b`))
  assert.match(scrape, new RegExp(`credentials_file: /run/secrets/${credentialFile}\\b`))
  const [prometheus = ''] = /\n {2}prometheus:\n(?: {4}.*\n)+/.exec(compose) ?? []
  assert.match(prometheus, /- monitor-secrets:\/run\/secrets:ro/)
  assert.match(prometheus, /prometheus\.yml:\/etc\/prometheus\/prometheus\.yml:ro/)
})

test('every metric of the list is told by some service, in the way of its kind', () => {
  const ways = { counter: 'count', gauge: 'set', histogram: 'observe' } as const
  const sources = sourceFiles()
    .filter((path) => /^(?:services|packages)\//.test(path) && !isTest(path))
    .map(readText)
  const silent = Object.entries(metricTable).filter(([name, { kind }]) => {
    const told = new RegExp(`metrics\\.${ways[kind]}\\(\\s*'${name}'`)
    return !sources.some((source) => told.test(source))
  })
  assert.deepEqual(
    silent.map(([name]) => name),
    [],
  )
})

test('the dashboard sums over labels that the metrics have', () => {
  const dashboard = readText('deploy/observability/grafana/dashboards/fadump-lab.json')
  const declared = Object.values(metricTable).flatMap((row): string[] => [...row.labels])
  // Those that Prometheus itself adds: the target, and the bound of a bucket.
  const known = [...declared, 'instance', 'job', 'le']
  const used = [...dashboard.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) =>
    list.split(',').map((label) => label.trim()),
  )
  assert.ok(used.length > 0)
  assert.deepEqual(
    used.filter((label) => !known.includes(label)),
    [],
  )
})
