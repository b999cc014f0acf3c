/** The memory model against the world: the story of 2011, a measured capture kernel, figures that others published. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  allocate,
  describeSystem,
  evaluate,
  judge,
  memTotalMiB,
  minimumBootMemoryMiB,
  type CaptureSystem,
  type SystemDescription,
} from '@fadump-lab/shared/capture-memory'
import { ladder, memFree, memTotals, rootfsSizeKiB } from './ladder.ts'
import { firstPoints, furtherPoints, modelAnswer, type PublishedPoint } from './published-points.ts'
import { band, largeAtFivePercent, story } from './story.ts'

function system(description: SystemDescription): CaptureSystem {
  const described = describeSystem(description)
  assert.ok(described.isAccepted, JSON.stringify(described))
  return described.system
}

describe('the story of 2011', () => {
  for (const { id, title, system: described, at256, at320, minimumMiB } of story) {
    for (const [bootMemoryMiB, failsIn] of [
      [256, at256],
      [320, at320],
    ] as const) {
      const outcome = failsIn === undefined ? 'gets through' : `fails in phase ${failsIn}`
      test(`${id}: ${title}: with ${bootMemoryMiB} MiB the dump ${outcome}`, () => {
        const { verdict, phase } = judge(system({ ...described, bootMemoryMiB }))
        assert.equal(verdict === 'fail' ? phase : undefined, failsIn)
      })
    }
    if (minimumMiB === undefined) continue
    test(`${id}: ${title}: ${minimumMiB} MiB are the least`, () => {
      assert.equal(minimumBootMemoryMiB(system({ ...described, bootMemoryMiB: 256 })), minimumMiB)
    })
  }

  test('S9: 1 TiB and 896 CPUs get through with 5 percent of memory, using about 3.4 GiB', () => {
    const { verdict, account } = evaluate(system(largeAtFivePercent))
    assert.equal(verdict, 'pass')
    const most = Math.max(...account.map(({ usedMiB }) => usedMiB))
    assert.ok(Math.abs(most - 3452) < 10, `${most} MiB`)
  })

  test('S6 dies of the receive rings of ehea, of which 8 queue pairs fill 112 MiB', () => {
    const { failure, account } = evaluate(
      system({ preset: '2011', memoryMiB: 2048, cpus: 20, card: 'ehea', bootMemoryMiB: 256 }),
    )
    assert.equal(failure?.kind, 'oom kill')
    assert.equal(failure.consumer, 'receive rings')
    const rings = account.at(-1)?.consumers.find(({ consumer }) => consumer === 'receive rings')
    assert.equal(Math.round(rings?.MiB ?? 0), 112)
  })

  // What each change alone does to the 274 MiB of S7.
  const sensitivities: readonly (readonly [
    what: string,
    change: SystemDescription,
    MiB: number,
  ])[] = [
    ['a local dump', { target: 'local' }, -128],
    ['one queue pair', { multiqueue: false }, -99],
    ['virtual Ethernet', { card: 'ibmveth', queues: 1 }, -109],
    ['a second port', { ports: 2 }, 114],
    ['one CPU', { nrCpus: 1 }, -22],
    ['NFS', { target: 'nfs' }, 15],
    ['64 GiB of memory', { memoryMiB: 65_536 }, 56],
  ]
  for (const [what, change, MiB] of sensitivities) {
    test(`S7: ${what} changes the least boot memory by ${MiB} MiB`, () => {
      const base = { ...band.system, card: 'ehea', queues: 8, bootMemoryMiB: 320 } as const
      const least = minimumBootMemoryMiB(system({ ...base, ...change }))
      assert.equal((least ?? 0) - 274, MiB)
    })
  }

  test('exactly 7 to 11 queue pairs fail with 256 MiB and get through with 320', () => {
    const isIn = (queues: number): boolean => {
      const at = (bootMemoryMiB: number) =>
        judge(system({ ...band.system, card: 'ehea', queues, bootMemoryMiB })).verdict
      return at(256) === 'fail' && at(320) !== 'fail'
    }
    const inBand = Array.from({ length: 16 }, (_, index) => index + 1).filter(isIn)
    assert.deepEqual(inBand, [7, 8, 9, 10, 11])
    assert.deepEqual([band.from, band.to], [7, 11])
  })
})

describe('Linux 7.2 as measured', () => {
  for (const { title, system: described, memTotalKiB } of memTotals) {
    test(`${title}: MemTotal is ${memTotalKiB} kB within 1 percent`, () => {
      const model = memTotalMiB(system(described)) * 1024
      assert.ok(Math.abs(model / memTotalKiB - 1) <= 0.01, `${model} kB`)
    })
  }

  for (const { run, title, system: described, verdict, kind, phase, warning } of ladder) {
    test(`${run}: ${title}: ${kind ?? warning ?? verdict}`, () => {
      const evaluation = evaluate(system(described))
      assert.equal(evaluation.verdict, verdict)
      assert.equal(evaluation.failure?.kind, kind)
      assert.equal(evaluation.failure?.phase, phase)
      assert.deepEqual(
        evaluation.warnings.map((given) => given.kind),
        warning === undefined ? [] : [warning],
      )
    })
  }

  test('the first kernel boots with an initramfs that the capture kernel cannot unpack', () => {
    const pad100 = ladder.find(({ run }) => run === 'o-pad100')
    assert.ok(pad100 !== undefined)
    // A first kernel has all memory: nothing of it is preserved.
    const first = system({ ...pad100.system, bootMemoryMiB: 2047 })
    assert.equal(evaluate(first).verdict, 'pass')
  })

  for (const { phase, memFreeKiB } of memFree) {
    test(`MemFree at the end of phase ${phase} is ${memFreeKiB} kB within 2 percent`, () => {
      const [netOk] = ladder
      assert.ok(netOk !== undefined)
      const { account } = evaluate(system(netOk.system))
      const used = account.find((row) => row.phase === phase)?.usedMiB ?? 0
      const free = (320 - used) * 1024
      assert.ok(Math.abs(free / memFreeKiB - 1) <= 0.02, `${free} kB`)
    })
  }

  test(`the root file system takes ${rootfsSizeKiB} kB within 1 percent`, () => {
    const [netOk] = ladder
    assert.ok(netOk !== undefined)
    const described = system({ ...netOk.system, initramfsMiB: 4.25, rootfsMiB: 10.7 })
    const bound = allocate(described).rootfsBound * described.pageKiB
    assert.ok(Math.abs(bound / rootfsSizeKiB - 1) <= 0.01, `${bound} kB`)
  })
})

describe('figures that others have published', () => {
  const check = (point: PublishedPoint): void => {
    const { agrees, text } = modelAnswer(point)
    assert.equal(agrees ? 'agrees' : 'disagrees', point.verdict, text)
    if (point.verdict === 'disagrees') assert.ok(point.note !== undefined, 'tells no reason')
  }
  for (const point of [...firstPoints, ...furtherPoints]) {
    test(`${point.says} (${point.source}): the model ${point.verdict}`, () => check(point))
  }

  test('at least 15 of the further figures agree', () => {
    const agreeing = furtherPoints.filter(({ verdict }) => verdict === 'agrees')
    assert.ok(agreeing.length >= 15, `${agreeing.length}`)
  })
})
