/** C001–C007: what firmware says in `/rtas`, and what a kernel makes of it (spec §2). */
import assert from 'node:assert/strict'
import { fromHex } from '@fadump-lab/shared/units'
import { withProperties } from '../../support/lpar.ts'
import type { Check, Checks, Given } from '../given.ts'

const properties = [
  'ibm,configure-kernel-dump',
  'ibm,configure-kernel-dump-sizes',
  'ibm,configure-kernel-dump-version',
  'ibm,kernel-dump',
] as const

const noDumpOption: Check = async (given) => {
  const lpar = await given.lpar({ dumpOption: false })
  for (const name of properties) assert.equal(await lpar.rtasProperty(name), undefined, name)
  assert.equal(await lpar.readOrErrno('kernel/fadump_enabled'), 'ENOENT')
  assert.equal(await lpar.readOrErrno('kernel/fadump/enabled'), 'ENOENT')
  const log = await lpar.log()
  assert.ok(
    log.some((line) => /not supported on this hardware/i.test(line)),
    log.join('\n'),
  )
}

/** A partition of 8 GiB whose kernel finds `sizes` in its device tree. */
async function withSizes(given: Given, sizes: string | undefined): Promise<string> {
  const lpar = await given.off({ memoryBytes: 8 * 2 ** 30, dumpService: false })
  lpar.wire.deviceTree = (root) =>
    withProperties(root, 'rtas', {
      'ibm,configure-kernel-dump-sizes': sizes === undefined ? undefined : fromHex(sizes),
    })
  await lpar.activate()
  return lpar.read('kernel/debug/powerpc/fadump_region')
}

const statedSizes: Check = async (given) => {
  const unknown = '00000077 00000000 00000123'
  const region = await withSizes(
    given,
    `${unknown} 00000001 00000000 00003000 00000002 00000001 00000020`,
  )
  assert.match(region, /^CPU ?: ?\[.*\] 0x3000 bytes, Dumped: 0x0$/m)
  assert.match(region, /^HPTE: ?\[.*\] 0x100000020 bytes, Dumped: 0x0$/m)
  const none = await withSizes(given, undefined)
  assert.match(none, /^CPU ?: ?\[.*\] 0x0 bytes, Dumped: 0x0$/m)
  assert.match(none, /^HPTE: ?\[.*\] 0x0 bytes, Dumped: 0x0$/m)
}

const extendedOsTerm: Check = async (given) => {
  const registered = await given.registered()
  assert.equal(await registered.rtasProperty('ibm,extended-os-term'), '')
  const lpar = await given.off()
  await lpar.arm('no-extended-os-term')
  await lpar.activate()
  const { state, crashes } = await lpar.crash()
  assert.deepEqual({ state, crashes }, { state: 'running', crashes: 0 })
  assert.deepEqual(lpar.calls('ibm,os-term'), [])
  assert.equal(await lpar.rtasProperty('ibm,kernel-dump'), undefined)
}

export const deviceTreeChecks: Checks = {
  C001: noDumpOption,
  C002: async (given) => {
    const lpar = await given.registered()
    assert.equal(await lpar.rtasProperty('ibm,configure-kernel-dump'), '0000202d')
  },
  C003: async (given) => {
    const lpar = await given.registered()
    const expected = given.byFirmware({
      papr: '000000010000000000006020' + '000000020000000000001000',
      qemu: '000000010000000000000ef0' + '000000020000000000000000',
    })
    assert.equal(await lpar.rtasProperty('ibm,configure-kernel-dump-sizes'), expected)
  },
  C004: statedSizes,
  C005: async (given) => {
    const lpar = await given.registered()
    const expected = given.byFirmware({ papr: '00010001', qemu: '01000100' })
    assert.equal(await lpar.rtasProperty('ibm,configure-kernel-dump-version'), expected)
  },
  C006: async (given) => {
    const registered = await given.registered()
    assert.equal(await registered.rtasProperty('ibm,kernel-dump'), undefined)
    const captured = await given.captured()
    const bytes = (await captured.rtasProperty('ibm,kernel-dump'))?.length ?? 0
    assert.equal(bytes / 2, given.byProfile({ v5: 160, modern: 200 }))
  },
  C007: extendedOsTerm,
}
