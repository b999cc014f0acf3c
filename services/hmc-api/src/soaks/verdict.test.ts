import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { newSoak, type SoakCrash } from '@fadump-lab/shared/contracts'
import { faultsOf } from './fault-plan.ts'
import { replayOf } from './replay.ts'
import { parseReservation } from './reservation.ts'
import {
  baseReasons,
  fairnessOf,
  faultCountsOf,
  reasonsOf,
  silentFaults,
  rareFaults,
  unarmedFaults,
} from './verdict.ts'

const crash = (given: Partial<SoakCrash>): SoakCrash => ({
  number: 3,
  partition: 'soak-1-2',
  scenario: 'plain',
  cause: 'bug',
  expected: { outcome: 'dump' },
  outcome: 'dump',
  passed: true,
  mechanism: 'fadump',
  endedAtMs: 0,
  phases: {},
  faults: [],
  checks: [],
  correlationId: 'c',
  ...given,
})

suite('what a soak comes to', () => {
  test('the slowest start against the median', () => {
    const starts = [10, 30, 20, 90, undefined]
    const rows = starts.map((startMs) => (startMs === undefined ? {} : { startMs }))
    assert.equal(fairnessOf(rows), 4.5)
    assert.equal(fairnessOf([{}]), undefined)
  })

  test('a failed check names crash, partition, scenario and what was found', () => {
    const checks = [
      { name: 'size', passed: true },
      { name: 'memory', passed: false, detail: 'page 0x1 is missing' },
    ]
    assert.deepEqual(reasonsOf(crash({ passed: false, checks })), [
      'crash 3 of soak-1-2 (plain, bug): memory: page 0x1 is missing',
    ])
    assert.deepEqual(reasonsOf(crash({ passed: false, outcome: 'lost' })), [
      'crash 3 of soak-1-2 (plain, bug): lost',
    ])
  })

  test('a fault that never struck makes the run red, and so does one that was never armed', () => {
    const asked = newSoak.parse({
      crashes: 4,
      faults: [{ name: 'bit-flip' }, { name: 'latency' }, { name: 'bit-rot' }],
    })
    const rows = [
      crash({ armed: 'bit-flip', faults: ['bit-flip'] }),
      crash({ armed: 'bit-flip', outcome: 'lost', passed: false, faults: ['bit-flip'] }),
      crash({ armed: 'latency' }),
    ]
    const counts = faultCountsOf(faultsOf(asked), rows)
    assert.deepEqual(
      counts.map(({ name, armed, struck, dumps, lost }) => [name, armed, struck, dumps, lost]),
      [
        ['bit-flip', 2, 2, 1, 1],
        ['latency', 1, 0, 0, 0],
        ['bit-rot', 0, 0, 0, 0],
      ],
    )
    assert.deepEqual(silentFaults(counts), [
      'fault latency was armed for 1 crashes and never struck',
    ])
    const killed = crash({ armed: 'latency', isForgotten: true })
    assert.deepEqual(silentFaults(faultCountsOf(faultsOf(asked), [killed])), [])
    assert.deepEqual(unarmedFaults(counts, { ended: 3, enough: 6 }), [
      '1 of 3 faults of the plan were not armed in 3 crashes (bit-rot): 6 crashes use each',
    ])
    assert.deepEqual(
      rareFaults(
        faultsOf(asked),
        counts.map((row) => ({ ...row, struck: row.name === 'latency' ? 99 : 100 })),
      ),
      ['fault latency struck 99 crashes of the night, not 100'],
    )
  })

  test('what is not back at its base level is told with both figures', () => {
    const row = { what: 'capture jobs', unit: 'of them', before: 0, after: 2, allowed: 0 }
    assert.deepEqual(
      baseReasons([
        { ...row, passed: false },
        { ...row, passed: true },
      ]),
      ['capture jobs: 2 of them after the soak, 0 before, at most 0 are allowed'],
    )
  })

  test('the command of the replay has whatever was not left to its default', () => {
    const asked = newSoak.parse({
      partitions: 5,
      crashes: 9,
      arrival: 'storm',
      scenarios: ['plain', 'kill'],
      memoryMiB: [4096],
    })
    assert.equal(
      replayOf(0xbeef, asked),
      './lab soak --seed 0xbeef --partitions 5 --storm --faults none --scenarios plain,kill --memory 4096 --crashes 9',
    )
    assert.match(replayOf(1, asked, [17]), / --only 17$/)
    const faults = [
      { name: 'bit-flip', value: 9, at: 'readVmcore' },
      { name: 'latency', service: 'lpar-kernel' },
      { name: 'crash-loop', times: 3 },
    ] as const
    assert.match(
      replayOf(1, newSoak.parse({ crashes: 1, faults: [...faults] })),
      / --faults bit-flip@readVmcore=9,latency\/lpar-kernel,crash-loop~3 /,
    )
  })

  test('reserved areas are read as 3.4 and 6.12 write them', () => {
    const v5 =
      'CPU : [0x0000002bff0000-0x0000002bff801f] 0x8020 bytes, Dumped: 0x0\nDUMP: [0x0000002bff9020-0x0000003fff901f] 0x14000000 bytes, Dumped: 0x0\n'
    assert.deepEqual(parseReservation(v5), { area: { start: 0x2bff_0000n, end: 0x4000_9020n } })
    const modern =
      "CPU :[0x00000014000000-0x0000001400801f] 0x8020 bytes, Dumped: 0x0\nDUMP: Src: 0x00000000000000, Dest: 0x00000014010000, Size: 0x14000000, Dumped: 0x0 bytes\n\n[0x0000003ffff800-0x0000003fffffff]: cmdline append: ''\n"
    assert.deepEqual(parseReservation(modern), {
      area: { start: 0x1400_0000n, end: 0x2802_0000n },
      parameters: 0x3fff_f800n,
    })
    assert.deepEqual(parseReservation(''), {})
  })
})
