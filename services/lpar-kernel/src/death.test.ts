/** A kernel host that dies, at any step: another one completes the work, and no dump is torn. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { equalBytes, GiB } from '@fadump-lab/shared/units'
import { contentPage } from './memory/content.ts'
import { hastyClock } from './testing/hasty-clock.ts'
import { Mortal } from './testing/mortal.ts'
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

suite('the death of a kernel host', () => {
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
