import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { describeRefusal, describeSystem } from './describe-system.ts'

const machine = { memoryMiB: 4096, cpus: 8 }

/** What is refused, and the words that name setting, value, rule and valid values. */
const refused: Readonly<Record<string, [description: Record<string, unknown>, words: RegExp]>> = {
  'no memory': [{ cpus: 8 }, /^memoryMiB missing: .*required; valid: 64 to \d+ MiB$/],
  'no CPUs': [{ memoryMiB: 4096 }, /^cpus missing: .*required; valid: a whole number from 1 to/],
  'an unknown setting': [
    { ...machine, nic: 'ehea' },
    /^nic "ehea": there is no such setting; valid: preset, .*card/,
  ],
  'an unknown preset': [
    { ...machine, preset: '1999' },
    /^preset "1999": .*; valid: 2011, now, linux-7\.2$/,
  ],
  'an unknown card': [
    { ...machine, card: 'e1000' },
    /^card "e1000": .*; valid: ehea, ibmveth, ibmvnic, mlx5, i40e, virtio, none$/,
  ],
  'an unknown target': [
    { ...machine, target: 'ftp' },
    /^target "ftp": .*; valid: local, ssh, nfs, http$/,
  ],
  'a page size that Power has not': [{ ...machine, pageKiB: 16 }, /^pageKiB 16: .*; valid: 4, 64$/],
  'negative queues': [
    { ...machine, card: 'ehea', queues: -1 },
    /^queues -1: .*; valid: a whole number from 1 to 128$/,
  ],
  'half a queue': [{ ...machine, card: 'ehea', queues: 1.5 }, /^queues 1\.5: /],
  'no queue': [{ ...machine, card: 'ehea', queues: 0 }, /^queues 0: /],
  'more queues than the driver has': [
    { ...machine, card: 'ehea', queues: 17 },
    /^queues 17: more queues than the driver can use; valid: 1 to 16$/,
  ],
  'queues without a card': [
    { ...machine, queues: 2 },
    /^queues 2: queues belong to a network card; valid: no queues without a card$/,
  ],
  'no port': [{ ...machine, card: 'ehea', ports: 0 }, /^ports 0: /],
  'boot memory as large as memory': [
    { ...machine, bootMemoryMiB: 4096 },
    /^bootMemoryMiB 4096: boot memory is a part of memory; valid: less than the 4096 MiB of memory$/,
  ],
  'boot memory of half a MiB': [
    { ...machine, bootMemoryMiB: 256.5 },
    /^bootMemoryMiB 256\.5: boot memory is a whole number of MiB/,
  ],
  'negative boot memory': [{ ...machine, bootMemoryMiB: -1 }, /^bootMemoryMiB -1: /],
  'memory that is no number': [{ ...machine, memoryMiB: '4G' }, /^memoryMiB "4G": /],
  'memory that is not a number': [{ ...machine, memoryMiB: Number.NaN }, /^memoryMiB null: /],
  'endless memory': [{ ...machine, memoryMiB: Infinity }, /^memoryMiB null: /],
  'a network target without a card': [
    { ...machine, target: 'nfs' },
    /^card missing: a dump to this target needs a network card; valid: a card, or target local$/,
  ],
  'mem= above memory': [
    { ...machine, memLimitMiB: 8192 },
    /^memLimitMiB 8192: mem= limits memory from above; valid: at most the 4096 MiB of memory$/,
  ],
  'mem= that leaves no boot memory': [
    { ...machine, memLimitMiB: 300, bootMemoryMiB: 320 },
    /^memLimitMiB 300: .*; valid: more than the 320 MiB of boot memory$/,
  ],
  'a table that reserves nothing': [
    { memoryMiB: 2048, cpus: 2, reservation: 'redhat' },
    /^reservation "redhat": this rule reserves nothing .*; valid: another rule, more memory/,
  ],
  'an initramfs that shrinks when unpacked': [
    { ...machine, initramfsMiB: 80, rootfsMiB: 40 },
    /^rootfsMiB 40: an initramfs does not shrink .*; valid: at least the 80 MiB/,
  ],
  'a root file system of nothing': [{ ...machine, rootfsPercent: 0 }, /^rootfsPercent 0: /],
  'a switch that is a word': [
    { ...machine, multiqueue: 'off' },
    /^multiqueue "off": .*; valid: on, off$/,
  ],
}

describe('a description is refused with setting, value, rule and valid values', () => {
  for (const [what, [description, words]] of Object.entries(refused)) {
    test(what, () => {
      const described = describeSystem(description)
      assert.equal(described.isAccepted, false)
      const [refusal] = described.isAccepted ? [] : described.refusals
      assert.ok(refusal !== undefined)
      assert.match(describeRefusal(refusal), words)
    })
  }

  test('all that is wrong is told at once', () => {
    const described = describeSystem({ memoryMiB: 1, cpus: 0, card: 'x', page: 4 })
    const settings = described.isAccepted ? [] : described.refusals.map(({ setting }) => setting)
    assert.deepEqual(settings, ['page', 'memoryMiB', 'cpus', 'card'])
  })
})

describe('what nobody says has a default', () => {
  const described = (description: Record<string, unknown>) => {
    const result = describeSystem(description)
    assert.ok(result.isAccepted)
    return result.system
  }

  test('boot memory is what Linux reserves: 320 MiB, or 5 percent in steps of 256 MiB', () => {
    assert.equal(described(machine).bootMemoryMiB, 320)
    assert.equal(described({ memoryMiB: 10 * 1024, cpus: 8 }).bootMemoryMiB, 512)
    assert.equal(described({ memoryMiB: 16 * 1024, cpus: 8 }).bootMemoryMiB, 768)
    assert.equal(described({ memoryMiB: 128 * 1024, cpus: 8 }).bootMemoryMiB, 6400)
  })

  test('without a card the dump is local, with one it goes over SSH', () => {
    assert.equal(described(machine).target, 'local')
    assert.equal(described({ ...machine, card: 'ibmveth' }).target, 'ssh')
    assert.equal(described({ ...machine, card: 'none' }).target, 'local')
  })

  test('today at most 16 CPUs capture, in 2011 all of them', () => {
    assert.equal(described({ memoryMiB: 4096, cpus: 896 }).nrCpus, 16)
    assert.equal(described({ memoryMiB: 4096, cpus: 896, preset: '2011' }).nrCpus, 896)
    assert.equal(described({ memoryMiB: 4096, cpus: 8, nrCpus: 16 }).nrCpus, 8)
  })

  test('ehea has 8 queue pairs, i40e a queue a capturing CPU', () => {
    assert.equal(described({ ...machine, card: 'ehea' }).queues, 8)
    assert.equal(described({ memoryMiB: 4096, cpus: 64, card: 'i40e' }).queues, 16)
    assert.equal(described({ memoryMiB: 4096, cpus: 896, card: 'i40e', nrCpus: 896 }).queues, 128)
  })

  test('an initramfs whose content nobody states does not compress', () => {
    assert.equal(described({ ...machine, initramfsMiB: 47 }).rootfsMiB, 47)
  })
})
