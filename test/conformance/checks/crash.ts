/** C025–C027, C090–C097: from the event to firmware, and what is left behind for the capture kernel (spec §3.5, §8.1). */
import assert from 'node:assert/strict'
import { toHex, viewOf } from '@fadump-lab/shared/units'
import type { Lpar } from '../../support/lpar.ts'
import { cpuNotes, vmcoreNotes } from '../core.ts'
import {
  assertAccepted,
  assertRejected,
  patternAbove,
  patternInBootMemory,
  type Check,
  type Checks,
  type Given,
} from '../given.ts'
import { smallStructure, structureHex } from '../structures.ts'

const headerBytes = (given: Given) => given.byProfile({ v5: 504, modern: 680 })

/** Header fields by spec §8.1: offsets are those of the profile. */
interface Header {
  readonly magic: string
  readonly crashingCpu: number
  readonly firstMaskWord: bigint
  readonly nip: bigint
}

async function headerOf(given: Given, lpar: Lpar): Promise<Header> {
  const bytes = await lpar.bytes(given.places.crashInfo, headerBytes(given))
  const view = viewOf(bytes)
  const little = !given.isV5
  const offsets = given.byProfile({
    v5: { cpu: 0x10, registers: 0x18, mask: 0x178 },
    modern: { cpu: 0x0c, registers: 0x28, mask: 0x1a8 },
  })
  return {
    magic: toHex(bytes.subarray(0, 8)),
    crashingCpu: view.getUint32(offsets.cpu, little),
    firstMaskWord: view.getBigUint64(offsets.mask, little),
    nip: view.getBigUint64(offsets.registers + 8 * 32, little),
  }
}

const preservedMemory: Check = async (given) => {
  const captured = await given.captured()
  const call = captured.calls('ibm,os-term')
  assert.deepEqual(
    call.map(({ status }) => status),
    ['no return'],
  )
  assert.equal(await captured.hex(patternAbove, 2), 'ab0e')
  const copy = given.places.realMode + patternInBootMemory
  assert.equal(await captured.hex(copy, 2), 'b007')
}

const withoutTheKernel: Check = async (given) => {
  const lpar = await given.lpar()
  lpar.wire.systemReset = 'lost'
  const { epoch } = await lpar.partition()
  await lpar.systemReset()
  await lpar.nextBoot(epoch + 1)
  assert.deepEqual(lpar.calls('ibm,os-term'), [])
  await assertAccepted(lpar)
}

/** A registration by hand with `max_time_auto`, and a kernel that does nothing after a system reset. */
async function resetWith(given: Given, maxTimeAuto: number): Promise<Lpar> {
  const lpar = await given.bare()
  const hex = structureHex(smallStructure(given.cell.firmware), { maxTimeAuto })
  await lpar.poke(0x20_0000, hex)
  assert.deepEqual(await lpar.rtas('ibm,configure-kernel-dump', [1, 0x20_0000, 160]), [0])
  lpar.wire.systemReset = 'swallowed'
  await lpar.systemReset()
  return lpar
}

const noDumpByTime: Check = async (given) => {
  const never = await resetWith(given, 0)
  assert.deepEqual(await never.rtas('ibm,nmi-interlock', []), [0])
  const armed = await resetWith(given, 5)
  // The one whose time has come is dumped; the other one, reset before it, is not.
  await armed.until('dumped', ({ registration }) => registration === 'active')
  assert.equal((await never.partition()).registration, 'registered')
}

const filledBefore: Check = async (given) => {
  const lpar = await given.lpar()
  const before = await headerOf(given, lpar)
  assert.equal(before.crashingCpu, 0xffff_ffff)
  let seen: Header | undefined
  lpar.wire.beforeRtas = async (service) => {
    if (service === 'ibm,os-term') seen ??= await headerOf(given, lpar)
  }
  await lpar.crash('bug', 1)
  assert.equal(seen?.crashingCpu, 1)
  assert.equal(seen.firstMaskWord, 0b011n)
  assert.equal(seen.nip >> 60n, 0xcn)
  const info = (await vmcoreNotes(lpar)).find(({ name }) => name === 'VMCOREINFO')
  assert.ok(info !== undefined)
  const { buffer, byteOffset, byteLength } = info.descriptor
  const text = new TextDecoder('latin1').decode(new Uint8Array(buffer, byteOffset, byteLength))
  assert.match(text, /^CRASHTIME=\d{10}$/m)
}

const secondCpu: Check = async (given) => {
  const lpar = await given.lpar()
  await Promise.all([lpar.crash('panic', 0), lpar.crash('panic', 1)])
  assert.equal(lpar.calls('ibm,os-term').length, 1)
  assert.equal((await lpar.partition()).crashes, 1)
  const { crashingCpu } = await headerOf(given, lpar)
  assert.ok(crashingCpu === 0 || crashingCpu === 1)
  assert.equal((await cpuNotes(lpar)).length, 2)
}

const layout: Check = async (given) => {
  const captured = await given.captured()
  const { crashInfo } = given.places
  if (given.isV5) {
    const elfHeader = (crashInfo + 504n).toString(16).padStart(16, '0')
    assert.equal(
      await captured.hex(crashInfo, 0x18),
      `4641444d50494e46${elfHeader}0000000100000000`,
    )
    assert.equal(await captured.hex(crashInfo + 0x178n, 8), '0000000000000003')
    return
  }
  // FADMPSIG as a little-endian u64, version 1, CPU 1.
  assert.equal(
    await captured.hex(crashInfo, 0x10),
    '47495350' + '4d444146' + '01000000' + '01000000',
  )
  const info = viewOf(await captured.bytes(crashInfo + 0x10n, 0x18))
  const address = BigInt(await captured.kernelVariable('vmcoreinfo.address'))
  assert.equal(info.getBigUint64(0, true), 0x1401_0000n + address)
  assert.equal(info.getBigUint64(8, true), 0x1_0024n)
  assert.equal(info.getUint32(16, true), 384)
  assert.equal(info.getUint32(20, true), 256)
  assert.equal(await captured.hex(crashInfo + 0x1a8n, 8), '0300000000000000')
}

const waitsForOthers: Check = async (given) => {
  const waitedMs = async (cpus: readonly number[]) => {
    const lpar = await given.lpar()
    const { pauses } = given.bench
    pauses.length = 0
    await lpar.systemResetAt(cpus)
    await assertAccepted(lpar)
    return pauses.reduce((sum, ms) => sum + ms, 0)
  }
  assert.equal(await waitedMs([0, 1]), 0)
  const alone = await waitedMs([0])
  assert.ok(alone > 0 && alone <= 500, `${alone} ms`)
}

/** Bytes over the header, and what the modern kernel says about them. */
const refusals: readonly (readonly [offset: bigint, hex: string, line: string])[] = [
  [0n, '464e49504d444146', "fadump: Old magic number, can't process the dump."],
  [0n, '4641444d50534947', 'fadump: Endianness mismatch between the crashed and fadump kernels.'],
  [0n, '0102030405060708', 'fadump: Fadump header is corrupted.'],
  [0x20n, '60010000', 'fadump: Fadump header size mismatch.'],
  [0x24n, '80000000', 'fadump: Fadump header size mismatch.'],
]

async function withHeader(given: Given, offset: bigint, hex: string): Promise<Lpar> {
  return given.crashedThenChanged((lpar) => lpar.poke(given.places.crashInfo + offset, hex))
}

export const crashChecks: Checks = {
  C025: preservedMemory,
  C026: withoutTheKernel,
  C027: noDumpByTime,
  C090: async (given) => {
    const lpar = await given.lpar({ bootArguments: 'fadump=on oops=continue' })
    await lpar.crash('null-dereference', 0)
    await assertAccepted(lpar)
    assert.equal((await lpar.partition()).crashes, 1)
  },
  C091: async (given) => {
    const lpar = await given.lpar()
    let message = ''
    lpar.wire.beforeRtas = async (service) => {
      if (service !== 'ibm,os-term') return
      const at = BigInt(await lpar.kernelVariable('osTermAddress'))
      message =
        Buffer.from(await lpar.bytes(at, 64))
          .toString('latin1')
          .split('\0')[0] ?? ''
    }
    await lpar.crash('panic')
    assert.equal(message, 'OS panic: Attempted to kill init! exitcode=0x0000000b')
    await assertAccepted(lpar)
  },
  C092: filledBefore,
  C093: secondCpu,
  C094: layout,
  C095: async (given) => {
    for (const [offset, hex, line] of refusals) {
      await assertRejected(await withHeader(given, offset, hex), line)
    }
  },
  C096: async (given) => {
    for (const magic of ['4641444d50534947', '464e49504d444146', '0000000000000000']) {
      await assertRejected(await withHeader(given, 0n, magic), 'Crash info header is not valid.')
    }
  },
  C097: waitsForOthers,
}
