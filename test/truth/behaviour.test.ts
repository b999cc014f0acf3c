/**
 * What a real Linux 7.2 under QEMU 11.1 did, scenario by scenario (truth §7): a title is a row of that table. Profile
 * modern, firmware qemu.
 */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { parseVmcoreinfo } from '@fadump-lab/shared/elf'
import { recordRing } from '@fadump-lab/shared/printk'
import { cpuNotes, prRegister, vmcoreHeaders, vmcoreNotes } from '../conformance/core.ts'
import { assertAccepted, assertRejected, type Given } from '../conformance/given.ts'
import type { Lpar, LparForm } from '../support/lpar.ts'
import { fadumpLines, lparOf, truthBench } from './bench.ts'

const registered = 'kernel/fadump/registered'
const append = 'kernel/fadump/bootargs_append'

/** Command and status of every `ibm,configure-kernel-dump` so far. */
const configured = (lpar: Lpar) =>
  lpar.calls().map(({ args: [command], status }) => [command, status])

/** Where the copy of boot memory lies. */
const copyOfBootMemory = 0x1401_0000n

/** The log of the crashed kernel, read out of its dump as vmcore-dmesg does. */
async function crashedLog(lpar: Lpar): Promise<readonly string[]> {
  const info = (await vmcoreNotes(lpar)).find(({ name }) => name === 'VMCOREINFO')
  assert.ok(info !== undefined)
  const { buffer, byteOffset, byteLength } = info.descriptor
  const text = new TextDecoder('latin1').decode(new Uint8Array(buffer, byteOffset, byteLength))
  const read = (address: bigint, length: number) => lpar.bytes(copyOfBootMemory + address, length)
  const state = await recordRing.attach(parseVmcoreinfo(text), 'little', read)
  assert.ok(state !== undefined, 'the dump has a log')
  return (await recordRing.read(state, read)).map((line) => line.text)
}

const lastFailure = async (lpar: Lpar) => (await lpar.partition()).lastFailure ?? ''

/** QEMU prints "OS terminated" and ends. */
async function assertTerminated(lpar: Lpar, crashes: number): Promise<void> {
  const now = await lpar.partition()
  assert.deepEqual([now.state, now.crashes], ['not-activated', crashes])
  assert.match(await lastFailure(lpar), /^OS terminated: /)
}

const capturing = async (given: Given, form: LparForm = {}): Promise<Lpar> => {
  const lpar = await lparOf(given, form)
  await lpar.crash()
  await assertAccepted(lpar)
  return lpar
}

suite('a crash', () => {
  const bench = truthBench()

  for (const [what, form] of [
    ['unregistered', {}],
    ['with fadump off', { bootArguments: 'console=hvc0 fadump=off' }],
  ] as const) {
    test(`C024 C028 ${what}: os-term, and the machine ends; panic= of the kernel is never reached`, async () => {
      await using given = bench.given('unregistered')
      const lpar = await lparOf(given, form)
      if (what === 'unregistered') await lpar.write(registered, '0')
      await lpar.crash()
      await assertTerminated(lpar, 0)
      assert.deepEqual(lpar.calls('system-reboot'), [])
    })
  }

  test('C097 by NMI while the system hangs: a dump at once, and nothing on the console in between', async () => {
    await using given = bench.given('nmi')
    const lpar = await lparOf(given)
    const before = await lpar.log()
    const { epoch } = await lpar.partition()
    await lpar.systemReset()
    await lpar.nextBoot(epoch + 1)
    await assertAccepted(lpar)
    assert.deepEqual(
      await crashedLog(lpar),
      before.filter((line) => line !== ''),
    )
    const notes = await cpuNotes(lpar)
    assert.deepEqual(
      notes.map(({ registers }) => registers[prRegister.trap]),
      [0x100n, 0n],
    )
  })

  test('C090 of any kind is dumped: an oops too', async () => {
    await using given = bench.given('oops')
    const lpar = await lparOf(given)
    await lpar.crash('null-dereference', 1)
    await assertAccepted(lpar)
    assert.equal((await cpuNotes(lpar)).length, 2)
  })

  test('C091 a panic is dumped from its notifier', async () => {
    await using given = bench.given('panic')
    const lpar = await lparOf(given)
    await lpar.crash('sysrq', 1)
    await assertAccepted(lpar)
    const log = await crashedLog(lpar)
    assert.ok(log.includes('Kernel panic - not syncing: sysrq triggered crash'))
    const [idle, crashing] = await cpuNotes(lpar)
    assert.deepEqual([idle?.pid, crashing?.pid], [0, 0])
    assert.equal(crashing?.registers[prRegister.trap], 0n)
    assert.equal(crashing.registers[prRegister.msr], 0x8000_0000_0000_1033n)
  })
})

suite('a restart', () => {
  const bench = truthBench()

  test('C012 hard reset while registered: no dump, and QEMU keeps its registration', async () => {
    await using given = bench.given('hmcreset')
    const lpar = await lparOf(given)
    await lpar.restart()
    assert.equal((await lpar.partition()).state, 'running')
    assert.equal(await lpar.vmcoreSize(), 'ENOENT')
    assert.ok((await lpar.log()).includes('rtas fadump: Already registered!'))
    assert.equal(await lpar.read(registered), '1\n')
  })

  test('C120 reboot -f while registered: the kernel takes the registration back, the next one registers', async () => {
    await using given = bench.given('reboot')
    const lpar = await lparOf(given)
    await lpar.shutdown('reboot')
    assert.deepEqual(configured(lpar), [
      [1, 0],
      [2, 0],
      [1, 0],
    ])
    assert.equal(await lpar.read(registered), '1\n')
    assert.equal(await lpar.vmcoreSize(), 'ENOENT')
  })

  test('C119 reboot -f in the capture kernel: the dump is invalidated, the third boot is a first one', async () => {
    await using given = bench.given('caprb')
    const lpar = await capturing(given)
    await lpar.shutdown('reboot')
    assert.deepEqual(configured(lpar), [
      [1, 0],
      [3, 0],
      [1, 0],
    ])
    assert.equal((await lpar.partition()).state, 'running')
    assert.equal(await lpar.rtasProperty('ibm,kernel-dump'), undefined)
    assert.equal(await lpar.read(registered), '1\n')
  })

  test('C119 hard reset in the capture kernel: the third boot is a capture kernel again', async () => {
    await using given = bench.given('caphard')
    const lpar = await capturing(given)
    const size = await lpar.vmcoreSize()
    await lpar.restart()
    await assertAccepted(lpar)
    assert.equal(await lpar.vmcoreSize(), size)
    assert.deepEqual(configured(lpar), [[1, 0]])
  })
})

suite('a second crash', () => {
  const bench = truthBench()

  test('in the capture kernel before the release: os-term, and the machine ends without a second dump', async () => {
    await using given = bench.given('crash2')
    const lpar = await capturing(given)
    await lpar.crash()
    await assertTerminated(lpar, 1)
    const calls = lpar.calls('ibm,os-term').map(({ status }) => status)
    assert.deepEqual(calls, ['no return', 'no return'])
  })

  test('C116 after release and registration in the same kernel: a good vmcore', async () => {
    await using given = bench.given('again')
    const lpar = await capturing(given, { dumpService: false })
    await lpar.write('kernel/fadump/release_mem', '1')
    assert.equal(await lpar.read(registered), '0\n')
    await lpar.write(registered, '1')
    await lpar.crash()
    await assertAccepted(lpar)
  })

  test('C095 after such a release by a kernel that frees the header’s page: corrupted, no vmcore, and it boots on', async () => {
    await using given = bench.given('again-defect')
    const kernelDefects = ['release-frees-header'] as const
    const lpar = await capturing(given, { dumpService: false, kernelDefects: [...kernelDefects] })
    await lpar.write('kernel/fadump/release_mem', '1')
    await lpar.write(registered, '1')
    await lpar.crash()
    await assertRejected(lpar, 'fadump: Fadump header is corrupted.')
    assert.equal(await lpar.read(registered), '0\n')
  })
})

suite('what changes between registration and crash', () => {
  const bench = truthBench()

  test('C104 1 GiB added by DLPAR: no re-registration, and the dump has it', async () => {
    await using given = bench.given('memhp')
    const lpar = await lparOf(given, { maximumMemoryBytes: 8 * 2 ** 30 })
    await lpar.write('kernel/dlpar', 'memory add count 4')
    const added = (await lpar.log()).filter((line) => line.startsWith('pseries-hotplug-mem: '))
    assert.deepEqual(added, [
      'pseries-hotplug-mem: Attempting to hot-add 4 LMB(s)',
      'pseries-hotplug-mem: Memory at 80000000 (drc index 80000008) was hot-added',
      'pseries-hotplug-mem: Memory at 90000000 (drc index 80000009) was hot-added',
      'pseries-hotplug-mem: Memory at a0000000 (drc index 8000000a) was hot-added',
      'pseries-hotplug-mem: Memory at b0000000 (drc index 8000000b) was hot-added',
    ])
    await lpar.crash()
    assert.deepEqual(configured(lpar), [[1, 0]])
    assert.deepEqual((await fadumpLines(lpar)).slice(-2), [
      'fadump: Reserving 1728MB of memory at 0x00000014000000 for preserving crash data',
      'fadump: Reserving 1024MB of memory at 0x00000080000000 for preserving crash data',
    ])
    const loads = (await vmcoreHeaders(lpar)).filter(({ type }) => type === 1)
    assert.deepEqual(
      loads.map(({ paddr, memsz }) => [paddr, memsz]),
      [
        [0n, 0x1400_0000n],
        [0x2801_02a8n, 0x97fe_fd58n],
      ],
    )
    assert.equal(await lpar.vmcoreSize(), 2_885_746_688)
  })

  test('C137 bootargs_append nr_cpus=1: the capture kernel has one CPU, the dump both notes', async () => {
    await using given = bench.given('append')
    const lpar = await lparOf(given)
    await lpar.write(append, 'nr_cpus=1\n')
    await lpar.crash()
    const log = await lpar.log()
    assert.ok(log.includes('fadump: Updated cmdline: console=hvc0 fadump=on nr_cpus=1'))
    assert.ok(log.includes('Partition configured for 2 cpus, operating system maximum is 1.'))
    assert.equal(await lpar.read('devices/system/cpu/online'), '0\n')
    assert.equal((await cpuNotes(lpar)).length, 2)
  })

  test('C137 bootargs_append fadump=off: active, but nothing reserved, no vmcore: silently lost', async () => {
    await using given = bench.given('appendoff')
    const lpar = await lparOf(given)
    await lpar.write(append, 'fadump=off\n')
    await lpar.crash()
    assert.deepEqual(await fadumpLines(lpar), [
      'rtas fadump: Firmware-assisted dump is active.',
      'fadump: Updated cmdline: console=hvc0 fadump=on fadump=off',
    ])
    assert.equal(await lpar.vmcoreSize(), 'ENOENT')
    assert.match(await lpar.proc('meminfo'), /^MemTotal: +20\d{5} kB/m)
    assert.notEqual(await lpar.rtasProperty('ibm,kernel-dump'), undefined)
  })
})

suite('processors that firmware counts otherwise', () => {
  const bench = truthBench()

  for (const [what, counts] of [
    // "Kernel expected: 0xa00 bytes, QEMU exported: 0x13e0 bytes".
    ['SMT (4 CPUs, 2 threads a core)', { processors: 4, threadsPerCore: 2 }],
    ['maxcpus above cpus', { processors: 1, maximumProcessors: 4 }],
  ] as const) {
    test(`C112 ${what}: another length of CPU state than was announced; refused, and the node boots on`, async () => {
      await using given = bench.given('mismatch')
      const lpar = await lparOf(given, { dumpService: false, ...counts })
      await lpar.crash()
      await assertRejected(lpar, 'rtas fadump: Dump taken by platform is incomplete (0)')
      const place = 'rtas fadump: Region type: 1 src addr: 0x0 dest addr: 0x14000000'
      assert.ok((await lpar.log()).includes(place))
      assert.equal(await lpar.read(registered), '0\n')
      assert.match(await lpar.proc('meminfo'), /^MemTotal: +1[67]\d{5} kB/m)
    })
  }
})
