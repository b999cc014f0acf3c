/** What an operator's operations do to a registered and to an unregistered partition. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import test, { suite } from 'node:test'
import { startRoom, type Room } from '../support/room.ts'
import { Vmcore } from '../support/vmcore.ts'

const GiB = 2 ** 30
const small = { id: 'p1', memoryBytes: GiB, processors: 4 }
const params = { partition: 'p1' }
/** `trap` in `pr_reg` (arch/powerpc/include/uapi/asm/ptrace.h). */
const trapRegister = 40

async function dumpsOf(room: Room): Promise<number> {
  return (await room.api.routes.listDumps({ query: {} })).length
}

suite('operations of the console', () => {
  test('C160 dump restart of a registered partition takes a dump by system reset 0x100', async () => {
    await using room = await startRoom()
    await room.api.boot(small)
    const job = await room.api.done(await room.api.routes.dumpRestart({ params }))
    assert.ok(job.dump !== undefined)
    await using core = await Vmcore.open(join(room.dumpRoot, 'p1', job.dump, 'vmcore'))
    const traps = (await core.cpus()).map(({ registers }) => registers[trapRegister])
    assert.equal(traps.length, 4)
    assert.equal(traps.filter((trap) => trap === 0x100n).length, 1, 'the first CPU saved itself')
  })

  test('C160 dump restart of an unregistered partition is a plain restart', async () => {
    await using room = await startRoom()
    const before = await room.api.boot({ ...small, bootArguments: 'fadump=off' })
    assert.equal(before.registration, 'idle')
    const job = await room.api.done(await room.api.routes.dumpRestart({ params }))
    assert.equal(job.dump, undefined)
    const after = await room.api.partition('p1')
    assert.equal(after.state, 'running')
    assert.ok(after.epoch > before.epoch, 'it has been booted again')
    assert.equal(await dumpsOf(room), 0)
  })

  test('C161 immediate restart and immediate shutdown of a registered partition take no dump', async () => {
    await using room = await startRoom()
    const before = await room.api.boot(small)
    assert.equal(before.registration, 'registered')
    await room.api.done(await room.api.routes.restart({ params }))
    const restarted = await room.api.partition('p1')
    assert.equal(restarted.registration, 'registered', 'registered anew by the new boot')
    assert.equal(restarted.crashes, 0)
    const body = { immediate: true }
    await room.api.done(await room.api.routes.shutdownPartition({ params, body }))
    assert.equal((await room.api.partition('p1')).state, 'not-activated')
    assert.equal(await dumpsOf(room), 0)
  })

  test('C162 after the capture the partition is running and registered without an operator', async () => {
    await using room = await startRoom()
    await room.api.boot(small)
    for (const crashes of [1, 2, 3]) {
      const dump = await room.api.crash('p1', { cause: 'panic' })
      assert.equal(dump.status, 'complete')
      const { state, registration, crashes: counted } = await room.api.partition('p1')
      assert.deepEqual([state, registration, counted], ['running', 'registered', crashes])
    }
    assert.equal(await dumpsOf(room), 3)
  })

  test('C155 896 online CPUs give 896 notes, offline CPUs none, the crashing CPU its own registers', async () => {
    await using room = await startRoom()
    const offlineCpus = [1, 500, 895]
    await room.api.boot({ id: 'p1', memoryBytes: 32 * GiB, processors: 896, offlineCpus })
    const dump = await room.api.crash('p1', { cause: 'null-dereference', cpu: 7 })
    await using core = await Vmcore.open(join(room.dumpRoot, 'p1', dump.id, 'vmcore'))
    const cpus = await core.cpus()
    assert.equal(cpus.length, 893)
    // CPU 1 is offline, so that CPU 7 has the seventh note. 0x300: a data storage interrupt.
    const trapped = cpus.flatMap(({ registers }, index) =>
      registers[trapRegister] === 0x300n ? [index] : [],
    )
    assert.deepEqual(trapped, [6])
  })

  test('an orderly shutdown by the operating system ends in a partition that is off', async () => {
    await using room = await startRoom()
    await room.api.boot(small)
    const body = { immediate: false }
    await room.api.done(await room.api.routes.shutdownPartition({ params, body }))
    assert.equal((await room.api.partition('p1')).state, 'not-activated')
  })

  test('C151 with 256 MiB of boot memory a network capture fails with phase and fix, a local one passes', async () => {
    await using room = await startRoom()
    const bootArguments = 'fadump=on fadump_reserve_mem=256M'
    await room.api.boot({ ...small, memoryBytes: 2 * GiB, processors: 20, bootArguments })
    const failed = await room.api.ended(await room.api.routes.crash({ params, body: {} }))
    assert.equal(failed.state, 'failed')
    assert.match(failed.failure ?? '', /link up|network/)
    assert.match(failed.failure ?? '', /MiB/)
    const { registration, pendingDump } = await room.api.partition('p1')
    assert.equal(registration, 'active', 'the dump is not lost')
    assert.ok(pendingDump !== undefined)
    const local = { ...small, id: 'p2', memoryBytes: 2 * GiB, processors: 20, bootArguments }
    await room.api.boot({ ...local, captureTarget: 'local' })
    assert.equal((await room.api.crash('p2')).status, 'complete')
  })
})
