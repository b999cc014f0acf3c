/** Capture kernels that live on real pages, against the model that predicts them. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  describeSystem,
  memTotalMiB,
  rehearse,
  type CaptureSystem,
  type SystemDescription,
} from '@fadump-lab/shared/capture-memory'
import { drawPartitions } from '../testing/arbitrary-partition.ts'
import { CaptureLife } from './capture-life.ts'
import { describeCapture } from './describe-capture.ts'

/** Systems of random partitions; those whose settings do not go together are left out. */
function drawSystems(count: number): CaptureSystem[] {
  return drawPartitions(count).flatMap((drawn) => {
    const described = describeCapture({ ...drawn, nrCpusMax: 2048, windowMiB: 4 })
    return described.isAccepted ? [described.system] : []
  })
}

/** What executing the allocations page by page comes to, in the words of a rehearsal. */
function lived(system: CaptureSystem): string {
  const life = new CaptureLife(system)
  const shortage = life.through('done')
  if (shortage === undefined) return 'through'
  return `${shortage.phase}, ${shortage.consumer}${shortage.isRootfsFull ? ', full' : ''}`
}

function predicted(system: CaptureSystem): string {
  const { failure } = rehearse(system)
  if (failure === undefined) return 'through'
  const { phase, consumer, kind } = failure
  return `${phase}, ${consumer}${kind === 'rootfs full' ? ', full' : ''}`
}

/** Boot memory around what is needed, so that most systems are close to the edge. */
function nearTheEdge(system: CaptureSystem, index: number): CaptureSystem {
  const minimum = rehearse(system).minimumMiB ?? system.bootMemoryMiB
  const offset = [-64, -8, -1, 0, 1, 16][index % 6] ?? 0
  const most = Math.min(system.memoryMiB, system.memLimitMiB) - 1
  return { ...system, bootMemoryMiB: Math.max(1, Math.min(most, minimum + offset)) }
}

suite('a capture kernel on the pages of its boot memory', () => {
  test('a rehearsal agrees with the boot on real pages in all of 10,000 random systems', () => {
    const disagreements: string[] = []
    const verdicts = new Map<string, number>()
    const systems = drawSystems(10_400).slice(0, 10_000)
    assert.equal(systems.length, 10_000)
    for (const [index, drawn] of systems.entries()) {
      const system = nearTheEdge(drawn, index)
      const [happened, said] = [lived(system), predicted(system)]
      verdicts.set(happened, (verdicts.get(happened) ?? 0) + 1)
      if (happened !== said) disagreements.push(`${happened} / ${said}: ${JSON.stringify(system)}`)
    }
    assert.deepEqual(disagreements, [])
    // The random systems reach passes and failures of many kinds, or the agreement would mean little.
    assert.ok((verdicts.get('through') ?? 0) > 3000)
    assert.ok(verdicts.size >= 12, [...verdicts.keys()].join('; '))
  })

  test('pages are free or held by one owner, and what leaves gives all of it back', () => {
    for (const system of drawSystems(200)) {
      const life = new CaptureLife(system)
      for (const phase of ['kernel', 'udev', 'transfer', 'done'] as const) {
        life.through(phase)
        const held = life.pages.owners.reduce((sum, { pages }) => sum + pages, 0)
        assert.equal(held + life.pages.free, life.pages.total)
      }
      if (life.shortage !== undefined) continue
      assert.equal(life.pages.heldBy('initramfs image'), 0)
      assert.equal(life.pages.heldBy('page cache'), 0)
      assert.equal(
        Math.round((life.managedPages * system.pageKiB) / 1024),
        Math.round(memTotalMiB(system)),
      )
    }
  })

  const power7 = {
    preset: '2011',
    memoryMiB: 2048,
    cpus: 20,
    card: 'ehea',
    target: 'ssh',
    bootMemoryMiB: 256,
  } as const
  const system = (change: SystemDescription): CaptureSystem => {
    const described = describeSystem({ ...power7, ...change })
    assert.ok(described.isAccepted)
    return described.system
  }
  const need = (change: SystemDescription): number => rehearse(system(change)).minimumMiB ?? 0

  test('C152 the need grows by about 1 MiB a CPU and by a byte in 1024 of memory', () => {
    assert.equal(Math.round((need({ cpus: 1020 }) - need({ cpus: 20 })) / 10), 119)
    const modern = { preset: 'now', card: 'ibmveth', nrCpus: 16 } as const
    const [small, large] = [4 * 1024, 1024 * 1024].map((memoryMiB) =>
      need({ ...modern, memoryMiB }),
    )
    assert.ok(Math.abs(((large ?? 0) - (small ?? 0)) / 1020 - 1) < 0.03)
  })

  test('C152 nr_cpus=16 takes the CPU term away', () => {
    const modern = { preset: 'now', card: 'ibmveth', memoryMiB: 65_536 } as const
    const all = need({ ...modern, cpus: 896, nrCpus: 896 })
    const few = need({ ...modern, cpus: 896, nrCpus: 16 })
    assert.ok(Math.abs(all - few - 880) < 45, `${all} ${few}`)
    assert.equal(need({ ...modern, cpus: 96, nrCpus: 16 }), few)
  })

  test('C153 whether all cards are brought up or only that of the dump decides', () => {
    const card = { bootMemoryMiB: 320 } as const
    assert.equal(lived(system({ ...card, ports: 1 })), 'through')
    assert.equal(lived(system({ ...card, ports: 2 })), 'link up, receive rings')
  })
})
