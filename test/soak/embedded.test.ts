/** Soaks as CI runs them: a room of their own, real disk and real time, bounded by crashes. */
import assert from 'node:assert/strict'
import { mkdtempDisposable, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { suite, type TestContext } from 'node:test'
import {
  faults,
  soakReport,
  soakScenarioNames,
  type SoakReport,
} from '@fadump-lab/shared/contracts'
import { soak } from '../../scripts/lab/soak/soak.ts'
import type { SoakOptions } from '../../scripts/lab/soak/options.ts'

const nothing: SoakOptions = {
  partitions: undefined,
  crashes: undefined,
  minutes: undefined,
  seconds: undefined,
  seed: undefined,
  storm: false,
  waves: false,
  'crash-loop': false,
  scenarios: undefined,
  causes: undefined,
  faults: undefined,
  profiles: undefined,
  memory: undefined,
  populated: undefined,
  concurrency: undefined,
  only: undefined,
  url: undefined,
  'token-file': undefined,
  compose: false,
  'container-faults': undefined,
  out: undefined,
  json: true,
}

/** Runs it and gives its report, which is told when the soak is red. */
async function soaked(t: TestContext, options: Partial<SoakOptions>): Promise<SoakReport> {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'fadump-soak-report-'))
  const out = directory.path
  const code = await soak({ ...nothing, ...options, out }, () => undefined)
  const report = soakReport.parse(JSON.parse(await readFile(join(out, 'report.json'), 'utf8')))
  t.diagnostic(`${report.crashes.length} crashes in ${report.crashingSeconds} s`)
  assert.deepEqual(report.reasons, [], report.replay)
  assert.equal(code, 0)
  return report
}

suite('soak', () => {
  test('every scenario of op-test that makes sense here, in the mix of a fleet', async (t) => {
    const report = await soaked(t, { partitions: 12, crashes: 72, seed: 4 })
    assert.equal(report.crashes.length, 72)
    const seen = new Set(report.crashes.map(({ scenario }) => scenario))
    t.diagnostic(`not drawn: ${soakScenarioNames.filter((name) => !seen.has(name)).join(', ')}`)
    assert.ok(seen.size > 15)
  })

  test('every fault of the plan strikes, and no dump is false or lost without a reason', async (t) => {
    const report = await soaked(t, { partitions: 12, crashes: 112, seed: 5, faults: ['default'] })
    assert.ok(report.faults.every(({ struck, lost }) => struck > 0 && lost === 0))
    const struck = new Set(report.faults.map(({ name }) => name.split(' ', 1).join()))
    assert.deepEqual([...struck].toSorted(), [...faults.keys()].toSorted())
  })

  test('a storm: all accounted for, and the slowest start within five times the median', async (t) => {
    const report = await soaked(t, { partitions: 60, storm: true, seed: 6, scenarios: ['plain'] })
    assert.equal(report.crashes.filter(({ outcome }) => outcome === 'dump').length, 60)
    const orders = report.crashes.flatMap(({ crashedAtMs }) => crashedAtMs ?? [])
    t.diagnostic(`all crashed within ${(Math.max(...orders) - Math.min(...orders)).toFixed(0)} ms`)
    assert.ok((report.fairness ?? Infinity) <= 5, `${report.fairness} times the median`)
  })
})
