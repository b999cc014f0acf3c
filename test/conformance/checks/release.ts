/** C110–C120: which dumps a capture kernel believes, and how they end (spec §11.1–§11.3, §11.6). */
import assert from 'node:assert/strict'
import type { NewFirmwareFault } from '@fadump-lab/shared/contracts'
import type { Lpar } from '../../support/lpar.ts'
import { assertAccepted, assertRejected, type Check, type Checks, type Given } from '../given.ts'

type Fault = readonly [name: NewFirmwareFault['name'], value?: number]

/** Crashes with faults of firmware armed; they strike while memory is preserved. */
function dumpWith(given: Given, ...faults: readonly Fault[]): Promise<Lpar> {
  return given.crashedWith(async (lpar) => {
    for (const [name, value] of faults) await lpar.arm(name, value)
  })
}

const notValid = /Dump taken by platform is not valid/
const incomplete = /Dump taken by platform is incomplete/

const invalidations = (lpar: Lpar) => lpar.calls().filter(({ args: [command] }) => command === 3)

const badSections: Check = async (given) => {
  const rows: readonly (readonly [Fault, RegExp])[] = [
    [['cpu-state-error', 0x1000], notValid],
    [['real-mode-error', 0x4000], notValid],
    [['real-mode-short', 0x13ff_0000], incomplete],
    [['cpu-state-short', 0], incomplete],
  ]
  for (const [fault, line] of rows) {
    const lpar = await dumpWith(given, fault)
    await assertRejected(lpar, line)
    assert.equal(await lpar.rtasProperty('ibm,kernel-dump'), undefined)
    // All memory is there again.
    assert.match(await lpar.proc('meminfo'), /^MemTotal: +1[67]\d{5} kB/m)
  }
}

/** `v5` accepts what `modern` rejects. */
async function acceptedByV5(given: Given, fault: Fault, line: RegExp): Promise<void> {
  const lpar = await dumpWith(given, fault)
  if (given.isV5) await assertAccepted(lpar)
  else await assertRejected(lpar, line)
}

const optionalSections: Check = async (given) => {
  const lpar = await given.lpar()
  await lpar.write('kernel/fadump/bootargs_append', 'nr_cpus=1')
  await lpar.arm('parameters-error')
  await lpar.crash()
  await assertAccepted(lpar)
  assert.equal(await lpar.proc('cmdline'), 'fadump=on\n')
  const warning = 'rtas fadump: Failed to process additional parameters! Proceeding anyway..'
  assert.ok((await lpar.log()).includes(warning))
  const other = await dumpWith(given, ['unknown-section', 0x77])
  await assertAccepted(other)
  assert.ok(
    (await other.log()).some((line) => line.startsWith('rtas fadump: Unknown region found')),
  )
}

const release: Check = async (given) => {
  const lpar = await given.lpar({ dumpService: false })
  await lpar.write('kernel/fadump_registered', '1')
  await lpar.crash()
  assert.equal(typeof (await lpar.vmcoreSize()), 'number')
  assert.match(await lpar.proc('meminfo'), /^MemTotal: +\d{6} kB/m)
  await lpar.write('kernel/fadump_release_mem', '1')
  assert.equal(await lpar.vmcoreSize(), 'ENOENT')
  assert.deepEqual(
    invalidations(lpar).map(({ status }) => status),
    [0],
  )
  assert.match(await lpar.proc('meminfo'), /^MemTotal: +1[67]\d{5} kB/m)
  const { cpuState, cpuStateLength } = given.places
  const address = (value: bigint) => `0x${value.toString(16).padStart(14, '0')}`
  const [first = ''] = (await lpar.read('kernel/debug/powerpc/fadump_region')).split('\n')
  const span = `[${address(cpuState)}-${address(cpuState + cpuStateLength - 1n)}]`
  const title = given.byProfile({ v5: 'CPU : ', modern: 'CPU :' })
  assert.equal(first, `${title}${span} 0x${cpuStateLength.toString(16)} bytes, Dumped: 0x0`)
  if (given.isV5) return
  const line = 'fadump: freeing reserved memory (0x28010000 - 0x80000000)'
  assert.ok((await lpar.log()).includes(line))
}

const registersAgain: Check = async (given) => {
  const lpar = await given.lpar()
  await lpar.crash()
  const { epoch } = await lpar.partition()
  await lpar.write('kernel/fadump_release_mem', '1')
  const released = await lpar.partition()
  assert.equal(released.epoch, epoch)
  // The dump service has written 1 already.
  assert.equal(released.registration, 'registered')
  await lpar.crash()
  await assertAccepted(lpar)
}

const refusedInvalidation: Check = async (given) => {
  const lpar = await given.lpar({ dumpService: false })
  await lpar.write('kernel/fadump_registered', '1')
  await lpar.crash()
  await lpar.arm('invalidate-status', -1)
  assert.equal(await lpar.wrote('kernel/fadump_release_mem', '1'), 'ok')
  assert.equal(await lpar.vmcoreSize(), 'ENOENT')
  assert.equal(await lpar.wrote('kernel/fadump_registered', '1'), 'EPERM')
  assert.equal(await lpar.wrote('kernel/fadump_release_mem', '1'), 'ok')
  assert.equal(await lpar.wrote('kernel/fadump_registered', '1'), 'ok')
}

const outlivesReboots: Check = async (given) => {
  const lpar = await given.lpar()
  await lpar.crash()
  for (let turn = 0; turn < 2; turn += 1) {
    await lpar.restart()
    await assertAccepted(lpar)
  }
  await lpar.shutdown('reboot')
  const { state } = await lpar.partition()
  assert.equal(state, 'running')
  assert.equal(await lpar.rtasProperty('ibm,kernel-dump'), undefined)
  assert.deepEqual(
    invalidations(lpar).map(({ status }) => status),
    [0],
  )
}

const orderlyShutdown: Check = async (given) => {
  const configured = (lpar: Lpar) => lpar.calls().map(({ args: [command] }) => command)
  const off = await given.lpar()
  await off.shutdown('power-off')
  assert.deepEqual(configured(off), given.byProfile({ v5: [1], modern: [1, 2] }))
  // The next kernel tries to register: v5 finds the stale registration of the one before.
  const next = await given.lpar()
  await next.shutdown('kexec')
  assert.deepEqual(
    next.calls().map(({ args: [command], status }) => [command, status]),
    given.byProfile({
      v5: [
        [1, 0],
        [1, -9],
      ],
      modern: [
        [1, 0],
        [2, 0],
        [1, 0],
      ],
    }),
  )
}

export const releaseChecks: Checks = {
  C110: badSections,
  C111: (given) => acceptedByV5(given, ['hpte-error', 0x1000], notValid),
  C112: (given) => {
    // QEMU leaves the last 12 bytes of the area unwritten: without them nothing is missing that a kernel reads.
    const short = Number(given.places.cpuStateLength) - 12
    return acceptedByV5(given, ['cpu-state-short', short], incomplete)
  },
  C113: async (given) => {
    const alone = await dumpWith(
      given,
      ['header-status-set', 0x2000],
      ['header-status-lost', 0xc000],
    )
    await assertRejected(alone, notValid)
    await assertAccepted(await dumpWith(given, ['header-status-set', 0x2000]))
  },
  C114: optionalSections,
  C115: release,
  C116: registersAgain,
  C117: async (given) => {
    const lpar = await given.lpar()
    await lpar.crash()
    assert.equal(await lpar.wrote('kernel/fadump_release_mem', '1'), 'ok')
    assert.equal(await lpar.wrote('kernel/fadump_release_mem', '1'), 'EPERM')
  },
  C118: refusedInvalidation,
  C119: outlivesReboots,
  C120: orderlyShutdown,
}
