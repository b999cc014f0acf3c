import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { CrashCause, KernelProfileName } from '@fadump-lab/shared/contracts'
import { GiB, hex, toAscii, toHex } from '@fadump-lab/shared/units'
import { startKernel, type StartedKernel } from '../testing/started-kernel.ts'
import { VmcoreFile } from '../testing/vmcore-file.ts'

const small = {
  id: 'p7',
  memoryBytes: Number(2n * GiB),
  processors: 4,
  content: { seed: 1, populatedBytes: 0x3_0000 },
}

async function crashed(
  profile: KernelProfileName,
  cause: CrashCause,
  cpu?: number,
): Promise<StartedKernel> {
  const kernel = await startKernel()
  await kernel.boot({ ...small, profile })
  await kernel.crash(cause, cpu)
  return kernel
}

/** Places in pr_reg. */
const place = { gpr1: 1, nip: 32, msr: 33, link: 36, trap: 40, dar: 41, dsisr: 42 } as const
const idleNip = 0xc000_0000_0001_1a58n

type Row = readonly [
  KernelProfileName,
  CrashCause,
  { readonly nip: bigint; readonly trap: bigint; readonly dar: bigint; readonly dsisr: bigint },
  string,
  string | undefined,
]

// NIP of an oops is where the exception was; of a panic it is crash_fadump, which saves its own registers.
const rows: readonly Row[] = [
  [
    'v5',
    'sysrq',
    { nip: 0xc000_0000_0006_a40cn, trap: 0x300n, dar: 0n, dsisr: 0x4200_0000n },
    'OS panic: die oops',
    'Oops: Kernel access of bad area, sig: 11 [#1]',
  ],
  [
    'v5',
    'null-dereference',
    { nip: 0xc000_0000_0007_0010n, trap: 0x300n, dar: 0x10n, dsisr: 0x4000_0000n },
    'OS panic: die oops',
    'Unable to handle kernel paging request for data at address 0x00000010',
  ],
  [
    'v5',
    'bug',
    { nip: 0xc000_0000_0007_4008n, trap: 0x700n, dar: 0n, dsisr: 0n },
    'OS panic: die oops',
    'kernel BUG at fs/ext4/inode.c:177!',
  ],
  [
    'v5',
    'panic',
    { nip: 0xc000_0000_0001_40a4n, trap: 0n, dar: 0n, dsisr: 0n },
    'OS panic: Attempted to kill init! exitcode=0x0000000b',
    'Kernel panic - not syncing: Attempted to kill init! exitcode=0x0000000b',
  ],
  [
    'v5',
    'hard-lockup',
    { nip: 0xc000_0000_0001_40a4n, trap: 0n, dar: 0n, dsisr: 0n },
    'OS panic: softlockup: hung tasks',
    'BUG: soft lockup - CPU#2 stuck for 22s! [kworker/2:1:1187]',
  ],
  [
    'v5',
    'system-reset',
    { nip: idleNip, trap: 0x100n, dar: 0n, dsisr: 0n },
    'OS panic: System Reset',
    'Oops: System Reset, sig: 6 [#1]',
  ],
  [
    'modern',
    'sysrq',
    { nip: 0xc000_0000_0001_422cn, trap: 0n, dar: 0n, dsisr: 0n },
    'OS panic: sysrq triggered crash',
    'Kernel panic - not syncing: sysrq triggered crash',
  ],
  [
    'modern',
    'null-dereference',
    { nip: 0xc000_0000_0007_0010n, trap: 0x300n, dar: 0x10n, dsisr: 0x4000_0000n },
    'OS panic: die oops',
    'BUG: Kernel NULL pointer dereference on read at 0x00000010',
  ],
  [
    'modern',
    'bug',
    { nip: 0xc000_0000_0007_4008n, trap: 0x700n, dar: 0n, dsisr: 0n },
    'OS panic: die oops',
    'LE PAGE_SIZE=64K MMU=Radix  SMP NR_CPUS=2048 NUMA pSeries',
  ],
  [
    'modern',
    'panic',
    { nip: 0xc000_0000_0001_422cn, trap: 0n, dar: 0n, dsisr: 0n },
    'OS panic: Attempted to kill init! exitcode=0x0000000b',
    'Kernel panic - not syncing: Attempted to kill init! exitcode=0x0000000b',
  ],
  [
    'modern',
    'hard-lockup',
    { nip: 0xc000_0000_0001_422cn, trap: 0n, dar: 0n, dsisr: 0n },
    'OS panic: Hard LOCKUP',
    'Kernel panic - not syncing: Hard LOCKUP',
  ],
  // The real kernel prints nothing before it dumps from the exception.
  [
    'modern',
    'system-reset',
    { nip: idleNip, trap: 0x100n, dar: 0n, dsisr: 0n },
    'OS panic: System Reset',
    undefined,
  ],
]

suite('causes of a crash', () => {
  for (const [profile, cause, registers, message, logged] of rows) {
    test(`C090 C091 C092 ${profile}: ${cause} on CPU 2 gives its registers, its message and its log`, async () => {
      await using kernel = await crashed(profile, cause, 2)
      assert.deepEqual(kernel.firmware.messages, [message])
      const vmcore = await VmcoreFile.read(kernel)
      // panic() of 3.4 has taken all others offline: the crashing CPU has the only note.
      const isAlone = profile === 'v5' && (cause === 'panic' || cause === 'hard-lockup')
      assert.equal(vmcore.cpus.length, isAlone ? 1 : 4)
      const saved = vmcore.cpus[isAlone ? 0 : 2]?.registers ?? []
      const { nip, trap, dar, dsisr } = place
      assert.deepEqual(
        [saved[nip], saved[trap], saved[dar], saved[dsisr]].map((value) => hex(value ?? 0n)),
        [registers.nip, registers.trap, registers.dar, registers.dsisr].map((value) => hex(value)),
      )
      const log = await vmcore.log()
      if (logged !== undefined) assert.ok(log.includes(logged), log.slice(-40).join('\n'))
      else assert.match(log.at(-1) ?? '', /Registration is successful/)
    })
  }

  test('C061 the other CPUs keep the registers that firmware found, each its own', async () => {
    await using kernel = await crashed('v5', 'bug', 1)
    const cpus = (await VmcoreFile.read(kernel)).cpus.map(({ registers }) => registers)
    assert.deepEqual(
      [0, 2, 3].map((cpu) => cpus[cpu]?.[place.nip]),
      [idleNip, idleNip, idleNip],
    )
    assert.equal(new Set(cpus.map((registers) => registers[place.gpr1])).size, 4)
    assert.equal(cpus[0]?.[place.trap], 0n)
    assert.equal(cpus[0]?.[place.msr], 0x8000_0000_0000_9032n)
  })

  test('the faulting instruction, its base register and DAR fit together', async () => {
    await using kernel = await crashed('modern', 'null-dereference')
    const vmcore = await VmcoreFile.read(kernel)
    const [saved] = vmcore.cpus
    // lwz r9,16(r31), little-endian.
    assert.equal(toHex(vmcore.memory(0x7_0010n, 4)), '10003f81')
    assert.equal((saved?.registers[31] ?? 1n) + 16n, saved?.registers[place.dar])
  })

  test('after a system reset the other CPUs wait for the first one', async () => {
    for (const [profile, waiting] of [
      ['v5', 0xc000_0000_0001_8064n],
      ['modern', 0xc000_0000_0001_40a8n],
    ] as const) {
      await using kernel = await crashed(profile, 'system-reset')
      const cpus = (await VmcoreFile.read(kernel)).cpus
      assert.deepEqual(
        cpus.map(({ registers }) => registers[place.nip]),
        [idleNip, waiting, waiting, waiting],
      )
    }
  })

  test('C060 a CPU that is offline leaves no note, and cannot crash', async () => {
    await using kernel = await startKernel()
    await kernel.boot({ ...small, offlineCpus: [0, 2] })
    await assert.rejects(kernel.crash('sysrq', 2), {
      slug: 'invalid-configuration',
      message: /CPU 2 of partition p7 is offline; 2 CPUs are online, the first is 1/,
    })
    await assert.rejects(kernel.crash('sysrq', 9), {
      message: /CPU 9 of partition p7 does not exist/,
    })
    await kernel.crash()
    const vmcore = await VmcoreFile.read(kernel)
    assert.deepEqual(
      vmcore.cpus.map(({ registers }) => registers[place.trap]),
      [0x300n, 0n],
    )
  })
})

suite('the crash info header', () => {
  test('C094 v5: FADMPINF, big-endian, at the end of the copy of boot memory', async () => {
    await using kernel = await startKernel()
    await kernel.boot(small)
    // CPU state 0x8020 and HPTE 0x1000 at 0x6bff0000, boot memory 0x14000000.
    const before = await kernel.memory(0x7fff_9020n, 504)
    assert.equal(toAscii(before.subarray(0, 8)), 'FADMPINF')
    assert.equal(toHex(before.subarray(8, 24)), '000000007fff9218ffffffff00000000')
    assert.ok(before.subarray(24).every((byte) => byte === 0))
    await kernel.crash('bug', 3)
    const after = await kernel.memory(0x7fff_9020n, 504)
    assert.equal(toHex(after.subarray(16, 20)), '00000003')
    // trap is the 41st register; the online mask of 4 CPUs is the low byte of its first word.
    assert.equal(toHex(after.subarray(0x18 + 8 * 40, 0x18 + 8 * 41)), '0000000000000700')
    assert.equal(toHex(after.subarray(0x178, 0x180)), '000000000000000f')
  })

  test('C094 modern: FADMPSIG version 1, little-endian, with the relocated VMCOREINFO note', async () => {
    await using kernel = await startKernel()
    await kernel.boot({ ...small, profile: 'modern' })
    const before = await kernel.memory(0x2801_0000n, 680)
    assert.equal(toAscii(before.subarray(0, 8)), 'GISPMDAF')
    // version 1, no crashing CPU, note 0xa0000 moved by 0x14010000, 65572 bytes, 384 and 256.
    assert.equal(
      toHex(before.subarray(8, 40)),
      '01000000ffffffff' + '00000b1400000000' + '2400010000000000' + '8001000000010000',
    )
    // All possible CPUs until the crash.
    assert.equal(toHex(before.subarray(0x1a8, 0x1b0)), '0f00000000000000')
    await kernel.crash('panic', 1)
    const after = await kernel.memory(0x2801_0000n, 680)
    assert.equal(toHex(after.subarray(12, 16)), '01000000')
  })

  test('C092 VMCOREINFO ends with the time of the crash', async () => {
    for (const profile of ['v5', 'modern'] as const) {
      await using kernel = await crashed(profile, 'panic')
      const text = (await VmcoreFile.read(kernel)).vmcoreinfo
      assert.match(text, profile === 'v5' ? /\nCRASHTIME=\d{10}$/ : /\nCRASHTIME=\d{10}\n$/)
    }
  })
})

suite('crashes that no dump follows', () => {
  test('C024 unregistered, os-term returns and the kernel restarts the partition', async () => {
    await using kernel = await startKernel()
    await kernel.boot({ ...small, dumpService: false })
    const first = kernel.firmware.epoch
    await kernel.crash('null-dereference')
    assert.deepEqual(
      kernel.firmware.calls.map(({ service, status }) => [service, status]),
      [
        ['ibm,os-term', 0],
        ['system-reboot', 'no return'],
      ],
    )
    assert.deepEqual(kernel.firmware.messages, ['OS panic: Fatal exception'])
    assert.equal(kernel.firmware.epoch, first + 1)
    assert.equal(kernel.captures.length, 0)
  })

  test('with panic=0 the partition stays terminated', async () => {
    await using kernel = await startKernel()
    await kernel.boot({ ...small, bootArguments: 'fadump=on panic=0', dumpService: false })
    await kernel.client.crash({ params: { partition: 'p7' }, body: { cause: 'panic' } })
    assert.equal(kernel.firmware.partition.state, 'terminated')
  })

  test('C093 of two crashes at once one reaches firmware, and both are accepted', async () => {
    await using kernel = await startKernel()
    await kernel.boot({ ...small, profile: 'modern' })
    const crash = (cpu: number) =>
      kernel.client.crash({ params: { partition: 'p7' }, body: { cause: 'panic', cpu } })
    await Promise.all([crash(1), crash(2)])
    await kernel.until('capturing')
    assert.equal(kernel.firmware.messages.length, 1)
    assert.equal(kernel.firmware.partition.crashes, 1)
  })

  test('a system reset of a registered partition is a dump; one for an earlier boot is stale', async () => {
    await using kernel = await startKernel()
    await kernel.boot(small)
    const params = { partition: 'p7' }
    const stale = kernel.client.systemResetInterrupt({ params, body: { epoch: 0 } })
    await assert.rejects(stale, { slug: 'stale-boot' })
    await kernel.client.systemResetInterrupt({ params, body: { epoch: kernel.firmware.epoch } })
    await kernel.until('capturing')
    assert.deepEqual(kernel.firmware.messages, ['OS panic: System Reset'])
  })
  test('a crash that is meant for an earlier boot changes nothing, one for this boot is carried out', async () => {
    await using kernel = await startKernel()
    await kernel.boot(small)
    const { epoch } = kernel.firmware
    const crash = (boot: number) =>
      kernel.client.crash({
        params: { partition: 'p7' },
        query: { epoch: boot },
        body: { cause: 'panic' },
      })
    await assert.rejects(crash(epoch - 1), { slug: 'stale-boot' })
    assert.deepEqual(kernel.firmware.messages, [])
    await crash(epoch)
    await kernel.until('capturing')
    assert.equal(kernel.firmware.messages.length, 1)
  })
})
