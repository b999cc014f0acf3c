/** A kernel host that dies, at any step: another one completes the work, and no dump is torn. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { systemClock, type Clock } from '@fadump-lab/shared/runtime'
import { equalBytes, GiB } from '@fadump-lab/shared/units'
import { contentPage } from './memory/content.ts'
import { hastyClock } from './testing/hasty-clock.ts'
import { Mortal } from './testing/mortal.ts'
import { Sluggish } from './testing/sluggish.ts'
import { startKernel, type StartedKernel } from './testing/started-kernel.ts'
import { VmcoreFile } from './testing/vmcore-file.ts'

const small = {
  id: 'p7',
  memoryBytes: Number(2n * GiB),
  processors: 4,
  content: { seed: 3, populatedBytes: 0x3_0000 },
}

/** Runs `step`; when the host dies of it, another one takes over, and `again` is what a client does then. */
async function survive(
  kernel: StartedKernel,
  mortal: Mortal,
  {
    step,
    again,
  }: { readonly step: () => Promise<unknown>; readonly again: () => Promise<unknown> },
): Promise<void> {
  const died = mortal.died.then(() => 'died' as const)
  const done = step().then(
    () => 'done' as const,
    () => died,
  )
  if ((await Promise.race([done, died])) === 'done') return
  await kernel.replaceHost()
  await again()
}

/** Boot, crash, capture; gives the vmcore. The host dies on the way. */
async function cycle(profile: 'v5' | 'modern', operations: number): Promise<number> {
  const mortal = new Mortal(operations)
  await using kernel = await startKernel({ mortal, clock: hastyClock })
  const { firmware } = kernel
  await survive(kernel, mortal, {
    step: () => kernel.boot({ ...small, profile }),
    again: () => kernel.until('running'),
  })
  await survive(kernel, mortal, {
    step: () => kernel.crash('bug', 2),
    // The operator finds it hanging, and resets it.
    again: async () => {
      if (firmware.partition.state === 'running') {
        const body = { epoch: firmware.epoch }
        await kernel.client.systemResetInterrupt({ params: { partition: 'p7' }, body })
      }
      await kernel.until('capturing')
    },
  })
  const read: VmcoreFile[] = []
  const reading = async () => read.push(await VmcoreFile.read(kernel))
  await survive(kernel, mortal, { step: reading, again: reading })
  const vmcore = read.at(-1)
  assert.ok(vmcore !== undefined)
  assert.equal(vmcore.cpus.length, 4)
  assert.equal(firmware.partition.crashes, 1)
  assert.ok(kernel.captures.some(({ dump }) => dump === 'p7-1'))
  assert.ok(equalBytes(vmcore.memory(0x41_0000n, 65_536), contentPage(3, 0x41n)))
  await survive(kernel, mortal, {
    step: () => kernel.write('kernel/fadump_release_mem', '1'),
    // The collector asks again; it may hear that all is done.
    again: () => kernel.write('kernel/fadump_release_mem', '1').catch(() => undefined),
  })
  await kernel.until('running')
  assert.equal(await kernel.read('kernel/fadump_registered'), '1\n')
  return mortal.operations
}

/** Every so many operations, so that the suite stays quick; the steps differ from profile to profile. */
const stride = 29

/** The kernel registers, its host dies after `operations`, and it crashes on another host. Gives the notes of its dump. */
async function crashAfterRegistering(
  operations: number,
): Promise<{ readonly before: number; readonly after: number; readonly notes?: number }> {
  const mortal = new Mortal(operations)
  await using kernel = await startKernel({ mortal, clock: hastyClock })
  await kernel.boot({ ...small, profile: 'v5', dumpService: false })
  const before = mortal.operations
  await survive(kernel, mortal, {
    step: () => kernel.write('kernel/fadump_registered', '1'),
    again: () => Promise.resolve(),
  })
  const after = mortal.operations
  if (kernel.firmware.registered === undefined) return { before, after }
  await kernel.crash('bug', 2)
  return { before, after, notes: (await VmcoreFile.read(kernel)).cpus.length }
}

/** A host stands still at one of its `operations` of a crash, and another one registers meanwhile. */
async function registerWhileCrashing(
  operations: number,
): Promise<{ readonly before: number; readonly after: number; readonly notes?: number }> {
  const slow = new Sluggish(operations)
  await using kernel = await startKernel({ mortal: slow, clock: hastyClock })
  await kernel.boot({ ...small, profile: 'v5', dumpService: false })
  const before = slow.operations
  const crashing = kernel.crash('bug', 2)
  const isSlow = await Promise.race([slow.reached.then(() => true), crashing.then(() => false)])
  if (!isSlow) return { before, after: slow.operations }
  const pause = Promise.withResolvers<void>()
  const patient: Clock = {
    ...systemClock,
    sleep: async (ms, signal) => {
      pause.resolve()
      return systemClock.sleep(ms, signal)
    },
  }
  await using other = await kernel.anotherHost(undefined, patient)
  const params = { partition: small.id, '*': 'kernel/fadump_registered' }
  // It may hear that the kernel is gone.
  const registering = other.client.writeFile({ params, body: '1' }).catch(() => undefined)
  await Promise.race([registering, pause.promise])
  slow.goOn()
  await Promise.all([crashing, registering])
  const isDumped = kernel.firmware.partition.pendingDump !== undefined
  const notes = isDumped ? { notes: (await VmcoreFile.read(kernel)).cpus.length } : {}
  return { before, after: slow.operations, ...notes }
}

/** A host dies after `operations` in a crash; if the kernel is still there, it registers on another host, and crashes. */
async function registerAfterDeath(
  operations: number,
): Promise<{ readonly before: number; readonly after: number; readonly notes?: number }> {
  const mortal = new Mortal(operations)
  await using kernel = await startKernel({ mortal, clock: hastyClock })
  await kernel.boot({ ...small, profile: 'v5', dumpService: false })
  const before = mortal.operations
  await survive(kernel, mortal, {
    step: () => kernel.crash('bug', 2),
    again: () => Promise.resolve(),
  })
  const after = mortal.operations
  if (kernel.firmware.partition.state !== 'running' || operations >= after) return { before, after }
  await kernel.write('kernel/fadump_registered', '1')
  assert.equal(await kernel.read('kernel/fadump_registered'), '1\n')
  await kernel.crash('bug', 2)
  return { before, after, notes: (await VmcoreFile.read(kernel)).cpus.length }
}

/**
 * A host stands still at operation `first` of an oops; another one panics the same kernel, as far as its operation `second`
 * if it gets there; then the first goes on.
 */
async function crashTwice(
  first: number,
  second: number,
): Promise<{ readonly operations: number; readonly told: readonly string[] }> {
  const one = new Sluggish(never)
  await using kernel = await startKernel({ mortal: one, clock: hastyClock })
  await kernel.boot({ ...small, profile: 'v5' })
  const before = one.operations
  one.stopIn(first)
  const crashing = kernel.crash('bug', 2)
  await Promise.race([one.reached, crashing])
  const other = new Sluggish(never)
  await using host = await kernel.anotherHost(other)
  if (kernel.firmware.partition.state === 'running') {
    const idle = other.operations
    other.stopIn(second)
    const body = { cause: 'panic', cpu: 1 } as const
    const panic = host.client
      .crash({ params: { partition: small.id }, body })
      // It may hear that the boot is over.
      .catch(() => undefined)
    const isThere = other.reached.then(() => true)
    while (other.operations < idle + second + 1) {
      if (await Promise.race([isThere, systemClock.sleep(1).then(() => false)])) break
    }
    one.goOn()
    await crashing
    other.goOn()
    await panic
  } else one.goOn()
  await crashing
  const operations = one.operations - before
  const { cpus } = await VmcoreFile.read(kernel)
  return { operations, told: [...kernel.firmware.messages, `${cpus.length} CPUs`] }
}

/** The host dies after `operations` of a system reset, or is through; what it has answered is not asked again. */
async function resetTaken(
  profile: 'v5' | 'modern',
  operations: number,
): Promise<{ readonly before: number; readonly after: number; readonly notes: number }> {
  const mortal = new Mortal(operations)
  await using kernel = await startKernel({ mortal, clock: hastyClock })
  await kernel.boot({ ...small, profile })
  const before = mortal.operations
  const reset = () => {
    const body = { epoch: kernel.firmware.epoch }
    return kernel.client.systemResetInterrupt({ params: { partition: small.id }, body })
  }
  const isTaken = await reset().then(
    () => true,
    () => false,
  )
  await survive(kernel, mortal, {
    step: () => kernel.until('capturing'),
    again: async () => {
      if (!isTaken) await reset()
      await kernel.until('capturing')
    },
  })
  const after = mortal.operations
  const read: VmcoreFile[] = []
  const reading = async () => read.push(await VmcoreFile.read(kernel))
  await survive(kernel, mortal, { step: reading, again: reading })
  return { before, after, notes: read.at(-1)?.cpus.length ?? 0 }
}

const never = Number.MAX_SAFE_INTEGER
/** Operations after which a host knows which boot it is to crash. */
const recordRead = 4

suite('the death of a kernel host', () => {
  test('C093 of two hosts that crash one kernel one goes on, and the dump tells of its crash only', async () => {
    const { operations } = await crashTwice(never, never)
    for (let first = recordRead; first <= operations; first += 1) {
      for (let second = first; second <= first + 2; second += 1) {
        const { told } = await crashTwice(first, second)
        // panic() of 3.4 has taken all other CPUs offline, an oops none.
        const notes = told[0] === 'OS panic: die oops' ? small.processors : 1
        const where = `operations ${first} and ${second}: ${told.join(', ')}`
        assert.equal(told.at(-1), `${notes} CPUs`, where)
        assert.equal(told.length, 2, where)
      }
    }
  })

  test('whenever it dies in a registration, a crash that firmware takes up has all its CPU notes', async () => {
    const { before, after, notes } = await crashAfterRegistering(Number.MAX_SAFE_INTEGER)
    assert.equal(notes, small.processors)
    const dumped = new Set<number>()
    for (let operations = before + 1; operations <= after; operations += 1) {
      const found = await crashAfterRegistering(operations)
      if (found.notes === undefined) continue
      assert.equal(found.notes, small.processors, `the host died at operation ${operations}`)
      dumped.add(operations)
    }
    assert.ok(dumped.size > 1, 'firmware had registered before the host died')
  })

  test('a host that registers while another one crashes the kernel registers before the crash, or not at all', async () => {
    const { before, after } = await registerWhileCrashing(Number.MAX_SAFE_INTEGER)
    let dumps = 0
    for (let operations = before + 1; operations <= after; operations += 1) {
      const { notes } = await registerWhileCrashing(operations)
      if (notes === undefined) continue
      assert.equal(notes, small.processors, `the crash stood still at operation ${operations}`)
      dumps += 1
    }
    assert.ok(dumps > 0, 'some registrations come before the crash')
  })

  test('C093 a host that dies in a crash does not keep the kernel from registering, and crashing, elsewhere', async () => {
    const { before, after } = await registerAfterDeath(never)
    let registered = 0
    for (let operations = before + 1; operations <= after; operations += 1) {
      const { notes } = await registerAfterDeath(operations)
      if (notes === undefined) continue
      assert.equal(notes, small.processors, `the host died at operation ${operations}`)
      registered += 1
    }
    assert.ok(registered > recordRead, 'some hosts have died with the crash half done')
  })

  for (const profile of ['v5', 'modern'] as const) {
    test(`C026 ${profile}: a system reset that a host has taken is carried out by another one when it dies`, async () => {
      const { before, after, notes } = await resetTaken(profile, never)
      assert.equal(notes, small.processors)
      for (let operations = before + 1; operations <= after; operations += 1) {
        const found = await resetTaken(profile, operations)
        assert.equal(found.notes, small.processors, `the host died at operation ${operations}`)
      }
    })
  }

  for (const [profile, first] of [
    ['v5', 2],
    ['modern', 5],
  ] as const) {
    test(`${profile}: at any operation of boot, crash, capture and release another host completes the work`, async () => {
      const total = await cycle(profile, Number.MAX_SAFE_INTEGER)
      assert.ok(total > 40, `${total} operations`)
      for (let operations = first; operations < total; operations += stride) {
        try {
          await cycle(profile, operations)
        } catch (cause) {
          throw new Error(`the host died at operation ${operations} of ${total}`, { cause })
        }
      }
    })
  }
})
