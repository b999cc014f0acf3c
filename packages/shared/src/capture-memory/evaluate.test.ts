import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { describeSystem } from './describe-system.ts'
import { evaluate, type Evaluation } from './evaluate.ts'
import { failures } from './phases.ts'

function evaluated(description: Record<string, unknown>): Evaluation {
  const described = describeSystem(description)
  assert.ok(described.isAccepted, JSON.stringify(described))
  return evaluate(described.system)
}

const power7 = { preset: '2011', memoryMiB: 2048, cpus: 20, card: 'ehea' }
const today = { preset: 'now', memoryMiB: 8192, cpus: 16, card: 'ibmvnic' }
const measured = { preset: 'linux-7.2', memoryMiB: 2048, cpus: 2, card: 'ibmveth' }

describe('failures are told apart', () => {
  interface Case {
    readonly system: Record<string, unknown>
    readonly kind: keyof typeof failures
    readonly phase: string
    readonly victim?: string
    readonly order?: number
  }
  const cases: Readonly<Record<string, Case>> = {
    'less than firmware needs': {
      system: { ...power7, bootMemoryMiB: 4 },
      kind: 'hang',
      phase: 'firmware hand-over',
    },
    'a memory map that does not fit': {
      system: { ...power7, memoryMiB: 1024 * 1024, bootMemoryMiB: 320 },
      kind: 'hang',
      phase: 'kernel',
    },
    'an initramfs beyond the limit of tmpfs': {
      system: { ...measured, initramfsMiB: 110, bootMemoryMiB: 320 },
      kind: 'rootfs full',
      phase: 'initramfs unpack',
    },
    'the same where rootfs is ramfs': {
      system: { ...measured, initramfsMiB: 150, rootfsPercent: 100, bootMemoryMiB: 320 },
      kind: 'out of memory panic',
      phase: 'initramfs unpack',
    },
    'user space that does not fit': {
      system: {
        ...today,
        pageKiB: 4,
        initramfsMiB: 10,
        target: 'local',
        memoryMiB: 2048,
        bootMemoryMiB: 160,
      },
      kind: 'oom kill',
      phase: 'user space',
      victim: 'sh',
    },
    'ten udev workers': {
      system: { ...today, target: 'local', udevWorkers: 40, bootMemoryMiB: 330 },
      kind: 'oom kill',
      phase: 'udev',
      victim: 'systemd-udevd',
    },
    'a LUKS key slot of 512 MiB': {
      system: { ...power7, target: 'local', luksMiB: 512, bootMemoryMiB: 320 },
      kind: 'oom kill',
      phase: 'udev',
      victim: 'cryptsetup',
    },
    'modules and network user space': {
      system: { ...power7, bootMemoryMiB: 156 },
      kind: 'oom kill',
      phase: 'network modules',
      victim: 'dhclient',
    },
    'the rings of ehea': {
      system: { ...power7, bootMemoryMiB: 256 },
      kind: 'oom kill',
      phase: 'link up',
      victim: 'dhclient',
    },
    'the long term buffers of ibmvnic, 8 MiB in a piece': {
      system: { ...today, bootMemoryMiB: 350 },
      kind: 'allocation failure',
      phase: 'link up',
      order: 7,
    },
    'the same with 4 KiB pages': {
      system: { ...today, pageKiB: 4, bootMemoryMiB: 390 },
      kind: 'allocation failure',
      phase: 'link up',
      order: 11,
    },
    'the rings of ehea with vm.panic_on_oom=1': {
      system: { ...power7, bootMemoryMiB: 256, panicOnOom: true },
      kind: 'out of memory panic',
      phase: 'link up',
    },
    'the client over SSH': {
      system: { ...power7, queues: 9, bootMemoryMiB: 288 },
      kind: 'killed in mid-copy',
      phase: 'transfer',
      victim: 'ssh',
    },
    'write-back over NFS': {
      system: { ...power7, target: 'nfs', queues: 7, bootMemoryMiB: 265 },
      kind: 'hang',
      phase: 'transfer',
    },
  }
  for (const [what, { system, kind, phase, victim, order }] of Object.entries(cases)) {
    test(`${what}: ${kind} in phase ${phase}`, () => {
      const { verdict, failure, marginMiB } = evaluated(system)
      assert.equal(verdict, 'fail')
      assert.deepEqual([failure?.kind, failure?.phase], [kind, phase])
      assert.equal(failure?.victim, victim)
      assert.equal(failure?.order, order)
      assert.ok(marginMiB < 0, `${marginMiB}`)
    })
  }

  test('every kind of failure is among them', () => {
    const kinds = new Set(Object.values(cases).map(({ kind }) => kind))
    assert.deepEqual([...kinds].toSorted(), Object.keys(failures).toSorted())
  })
})

describe('warnings', () => {
  test('less than 5 percent to spare', () => {
    const { verdict, warnings } = evaluated({ ...power7, bootMemoryMiB: 276 })
    assert.equal(verdict, 'warn')
    assert.deepEqual(
      warnings.map(({ kind }) => kind),
      ['small margin'],
    )
  })

  test('makedumpfile starts fewer threads than it was asked for', () => {
    const { verdict, warnings } = evaluated({ ...today, threads: 64, bootMemoryMiB: 420 })
    assert.equal(verdict, 'warn')
    assert.match(warnings.map(({ text }) => text).join(), /makedumpfile starts \d+ of 64 threads/)
  })

  test('with room for all of them there is no warning', () => {
    const { verdict, warnings } = evaluated({ ...today, threads: 64, bootMemoryMiB: 768 })
    assert.deepEqual([verdict, warnings], ['pass', []])
  })

  test('a server that pulls needs no makedumpfile, so no thread is missed', () => {
    const { verdict } = evaluated({ ...today, target: 'http', threads: 64, bootMemoryMiB: 440 })
    assert.equal(verdict, 'pass')
  })
})

describe('the account', () => {
  test('every phase is there, and its consumers add up to what is in use', () => {
    const { account } = evaluated({ ...power7, bootMemoryMiB: 320 })
    assert.equal(account.length, 11)
    for (const { usedMiB, consumers } of account) {
      const sum = consumers.reduce((total, { MiB }) => total + MiB, 0)
      assert.ok(Math.abs(sum - usedMiB) < 1e-9)
    }
  })

  test('the image of the initramfs is gone when user space begins, most udev workers when the dump does', () => {
    const { account } = evaluated({ ...power7, bootMemoryMiB: 320 })
    const holds = (phase: string, consumer: string): boolean =>
      account
        .find((row) => row.phase === phase)
        ?.consumers.some((use) => use.consumer === consumer) === true
    assert.deepEqual(
      ['initramfs unpack', 'user space'].map((phase) => holds(phase, 'initramfs image')),
      [true, false],
    )
    assert.deepEqual(
      ['address', 'collector process'].map((phase) => holds(phase, 'udev workers that leave')),
      [true, false],
    )
  })

  test('under kdump the memory map covers boot memory only', () => {
    const mapOf = (mechanism: string): number =>
      evaluated({ ...today, memoryMiB: 65_536, mechanism, bootMemoryMiB: 1024 })
        .account.at(-1)
        ?.consumers.find(({ consumer }) => consumer === 'memory map')?.MiB ?? 0
    assert.deepEqual([mapOf('fadump'), mapOf('kdump')], [64, 1])
  })

  test('mem= makes the memory map smaller', () => {
    const { account } = evaluated({ ...today, memoryMiB: 65_536, memLimitMiB: 32_768 })
    const map = account.at(-1)?.consumers.find(({ consumer }) => consumer === 'memory map')
    assert.equal(map?.MiB, 32)
  })

  test('huge pages of the production command line take memory in 2011 and none today', () => {
    const withPages = { memoryMiB: 8192, cpus: 8, hugepagesMiB: 512, bootMemoryMiB: 1024 }
    const takes = (preset: string): boolean =>
      evaluated({ ...withPages, preset })
        .account.at(-1)
        ?.consumers.some(({ consumer }) => consumer === 'huge pages') === true
    assert.deepEqual([takes('2011'), takes('now')], [true, false])
  })
})
