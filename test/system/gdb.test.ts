/** gdb opens the vmcores: one thread per CPU that was online, with the registers the partition had. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import test, { suite } from 'node:test'
import { hypervisorRoutes } from '@fadump-lab/shared/contracts'
import { createClient } from '@fadump-lab/shared/http'
import { asDeclared } from '@fadump-lab/shared/identity'
import { newerGdb, openInGdb, systemGdb, type Thread } from '../support/gdb.ts'
import { startRoom, type Room } from '../support/room.ts'
import { locate, without } from '../support/tools.ts'
import { Vmcore } from '../support/vmcore.ts'

const GiB = 2 ** 30
const partition = 'p'
const crashingCpu = 2

/** gdb's names for the registers that firmware saves. */
const gdbNames: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    Array.from({ length: 32 }, (_, index) => [`GPR${String(index).padStart(2, '0')}`, `r${index}`]),
  ),
  NIA: 'pc',
  MSR: 'msr',
  CR: 'cr',
  LR: 'lr',
  CTR: 'ctr',
  XER: 'xer',
}

/**
 * Boots a partition of six CPUs, gives each online CPU registers that no other has, crashes it on CPU 2, and returns the
 * vmcore with what the hypervisor said of every CPU before the crash.
 */
async function crashed(room: Room, pids: 'truth' | 'distinct') {
  await room.api.boot({
    id: partition,
    memoryBytes: GiB,
    processors: 6,
    offlineCpus: [1, 3],
    prstatusPids: pids,
  })
  const hypervisor = createClient(hypervisorRoutes, {
    baseUrl: room.urls.hypervisor,
    authorize: asDeclared(room.keys),
  })
  const params = { partition }
  const { epoch } = await room.api.partition(partition)
  const vcpus = [0, 4, 5].map((cpu) => ({
    cpu,
    online: true,
    registers: Object.fromEntries(
      Object.keys(gdbNames).map((name, index) => [name, hex(uniqueValue(cpu, name, index))]),
    ),
  }))
  await hypervisor.putVcpus({ params, body: { epoch, vcpus } })
  const before = await hypervisor.getVcpus({ params })
  const dump = await room.api.crash(partition, { cause: 'null-dereference', cpu: crashingCpu })
  return { vmcore: join(room.dumpRoot, partition, dump.id, 'vmcore'), before }
}

/** CR and XER have 32 bits that count, the others 64. */
function uniqueValue(cpu: number, name: string, index: number): bigint {
  const low = BigInt((cpu + 1) * 0x100_0000 + index * 0x101 + 7)
  return name === 'CR' || name === 'XER' ? low : (0xc0de_0000n << 32n) + low
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`
}

function assertRegisters(
  thread: Thread | undefined,
  vcpu: { readonly cpu: number; readonly registers: Readonly<Record<string, bigint>> } | undefined,
): void {
  assert.ok(thread !== undefined && vcpu !== undefined, 'there is a thread for the CPU')
  for (const [name, shown] of Object.entries(gdbNames)) {
    assert.equal(thread.registers[shown], vcpu.registers[name], `${name} of CPU ${vcpu.cpu}`)
  }
}

/** What the dying kernel printed of the crashing CPU, as vmcore-dmesg reads it from the same file. */
function registersInLog(vmcore: string): Readonly<Record<string, bigint>> {
  const { stdout } = spawnSync(locate('vmcore-dmesg'), [vmcore], { encoding: 'utf8' })
  const rows = [...stdout.matchAll(/\bGPR(\d\d): ((?:[0-9a-f]{16} ?){4})/g)]
  const general = rows.flatMap(([, first = '', values = '']) =>
    values
      .trim()
      .split(' ')
      .map((value, index) => [`r${Number(first) + index}`, BigInt(`0x${value}`)] as const),
  )
  const [, nip = '', link = ''] = /NIP: ([0-9a-f]+) LR: ([0-9a-f]+)/.exec(stdout) ?? []
  const [, trap = ''] = /TRAP: ([0-9a-f]{4})/.exec(stdout) ?? []
  const named = { pc: nip, lr: link, trap }
  return Object.fromEntries([
    ...general,
    ...Object.entries(named).map(([name, value]) => [name, BigInt(`0x${value}`)] as const),
  ])
}

suite('gdb 13 opens a vmcore with distinct pids', { skip: without('gdb-multiarch') }, () => {
  test('C060 C155 each CPU that was online is a thread with its registers, an offline one is none', async () => {
    await using room = await startRoom()
    const { vmcore, before } = await crashed(room, 'distinct')
    const { threads } = openInGdb(systemGdb(), vmcore)
    assert.deepEqual(
      threads.map(({ lwp }) => lwp - 1),
      [0, 2, 4, 5],
    )
    for (const cpu of [0, 4, 5]) {
      assertRegisters(
        threads.find(({ lwp }) => lwp === cpu + 1),
        before.find((vcpu) => vcpu.cpu === cpu),
      )
    }
  })

  test(
    'C061 the crashing CPU has what its kernel printed, TRAP included, which firmware cannot know',
    { skip: without('vmcore-dmesg') },
    async () => {
      await using room = await startRoom()
      const { vmcore } = await crashed(room, 'distinct')
      const { threads } = openInGdb(systemGdb(), vmcore)
      const crashing = threads.find(({ lwp }) => lwp === crashingCpu + 1)
      const printed = registersInLog(vmcore)
      assert.equal(Object.keys(printed).length, 35)
      for (const [name, value] of Object.entries(printed)) {
        assert.equal(crashing?.registers[name], value, name)
      }
      assert.equal(crashing?.registers['trap'], 0x300n)
    },
  )
})

suite('a newer gdb opens a true vmcore', { skip: without('vmcore-tools') }, () => {
  test('with pr_pid 0 in every note it shows a thread per note, in the order of the notes', async () => {
    await using room = await startRoom()
    const { vmcore, before } = await crashed(room, 'truth')
    await using core = await Vmcore.open(vmcore)
    const notes = await core.cpus()
    assert.deepEqual(
      notes.map(({ pid }) => pid),
      [0, 0, 0, 0],
    )
    const { threads, output } = openInGdb(newerGdb(), vmcore)
    assert.match(output, /found threads with pid 0/)
    assert.equal(threads.length, notes.length)
    for (const [index, cpu] of [0, 2, 4, 5].entries()) {
      if (cpu === crashingCpu) continue
      assertRegisters(
        threads[index],
        before.find((vcpu) => vcpu.cpu === cpu),
      )
    }
    // nip is register 32 of pr_reg.
    assert.equal(threads[1]?.registers['pc'], notes[1]?.registers[32])
    assert.equal(threads[1]?.registers['trap'], 0x300n)
  })
})
