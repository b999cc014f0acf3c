/** Reports of one made-up soak: for programs that read JUnit, and for people. */
import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { newSoak, soakReport, type SoakCrash, type SoakReport } from '@fadump-lab/shared/contracts'
import { createDocument } from './testing/xml.ts'
import { junitXml } from './junit.ts'
import { reportPage } from './page.ts'
import { buckets, percentile, phaseFigures } from './statistics.ts'

const crash = (number: number, given: Partial<SoakCrash> = {}): SoakCrash => ({
  number,
  partition: `soak-1-${number}`,
  scenario: 'plain',
  cause: 'bug',
  expected: { outcome: 'dump' },
  outcome: 'dump',
  passed: true,
  mechanism: 'fadump',
  crashedAtMs: 1000,
  endedAtMs: 1000 + 1000 * number,
  phases: { transfer: 10 * number },
  startMs: 5,
  transferredBytes: 2 ** 20,
  faults: [],
  checks: [{ name: 'memory', passed: true }],
  correlationId: `c-${number}`,
  ...given,
})

const bad = crash(2, {
  outcome: 'lost',
  passed: false,
  scenario: 'kill',
  faults: ['bit-flip at readVmcore'],
  checks: [{ name: 'memory', passed: false, detail: 'page 0x1 </script><b> is "missing" & gone' }],
})

const report: SoakReport = soakReport.parse({
  format: 'soak-report-1',
  id: 'soak-1',
  seed: 0xbeef,
  asked: newSoak.parse({ crashes: 3 }),
  verdict: 'failed',
  reasons: ['crash 2 of soak-1-2: memory: page 0x1 is missing'],
  startedAt: '2026-11-23T12:00:00.000Z',
  completedAt: '2026-11-23T12:00:09.000Z',
  crashingSeconds: 3,
  replay: './lab soak --seed 0xbeef --partitions 20 --faults none --crashes 3',
  fleet: [],
  crashes: [crash(1), bad, crash(3)],
  fairness: 1,
  faults: [{ name: 'bit-flip', does: 'flips', armed: 1, struck: 1, dumps: 0, absent: 0, lost: 1 }],
  base: [{ what: 'dumps', unit: 'of them', before: 0, after: 1, allowed: 0, passed: false }],
  memory: [{ atMs: 0, service: 'hmc-api', residentBytes: 2 ** 27, heapBytes: 2 ** 26 }],
})
const again = './lab soak --seed 0xbeef --partitions 20 --faults none --only 2'

suite('the reports of a soak', () => {
  test('JUnit: counts add up, a failure says what was found and how to see it again', () => {
    const xml = junitXml(report)
    const root = createDocument(xml)
    assert.deepEqual(
      [root.name, root.attributes['tests'], root.attributes['failures']],
      ['testsuites', '5', '3'],
    )
    const suites = root.children
    assert.deepEqual(
      suites.map(({ attributes }) => [
        attributes['name'],
        attributes['tests'],
        attributes['failures'],
      ]),
      [
        ['plain', '2', '0'],
        ['kill', '1', '1'],
        ['base level', '1', '1'],
        ['faults', '1', '1'],
      ],
    )
    for (const each of suites) {
      assert.match(each.attributes['timestamp'] ?? '', /^2026-11-23T12:00:00$/)
      for (const testcase of each.children) {
        assert.deepEqual(Object.keys(testcase.attributes).toSorted(), ['classname', 'name', 'time'])
      }
    }
    const failure = suites[1]?.children[0]?.children[0]
    assert.equal(failure?.name, 'failure')
    assert.match(failure?.text ?? '', /page 0x1 <\/script><b> is "missing" & gone/)
    assert.ok(failure?.text.includes(again))
  })

  test('the page holds its pictures and its data, asks the net for nothing, and cannot be broken by what is in it', () => {
    const html = reportPage(report)
    assert.equal(html.match(/<svg/g)?.length, 5)
    assert.doesNotMatch(html, /(?:src|href)=|@import|url\((?!#)/)
    assert.ok(html.includes(report.replay))
    const [, data = ''] =
      /<script type="application\/json" id="data">([\s\S]*?)<\/script>/.exec(html) ?? []
    assert.deepEqual(JSON.parse(data), report.crashes)
    assert.doesNotMatch(html, /missing" & gone/)
  })

  test('percentiles and seconds', () => {
    assert.deepEqual([percentile([1, 2, 3, 4], 0.5), percentile([], 0.5)], [2, undefined])
    assert.deepEqual(phaseFigures(report), [
      { phase: 'transfer', p50: 20, p95: 30, p99: 30, max: 30 },
    ])
    assert.deepEqual(
      buckets(report).map(({ begun, dumps, lost }) => [begun, dumps, lost]),
      [
        [0, 0, 0],
        [3, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
        [0, 1, 0],
      ],
    )
  })
})
