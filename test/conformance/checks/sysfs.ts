/** C130–C139: the files of the kernel, their modes and errnos (spec §10, §11.4). */
import assert from 'node:assert/strict'
import type { Lpar } from '../../support/lpar.ts'
import type { Check, Checks, Given } from '../given.ts'

const registered = 'kernel/fadump_registered'
const enabled = 'kernel/fadump_enabled'
const releaseMem = 'kernel/fadump_release_mem'
const region = 'kernel/debug/powerpc/fadump_region'

const modes: Check = async (given) => {
  const first = await given.registered()
  assert.equal(await first.wrote(enabled, '1'), 'EACCES')
  assert.equal(await first.wrote(region, '1'), 'EACCES')
  assert.equal(await first.readOrErrno(registered), '1\n')
  assert.equal(await first.wrote(releaseMem, '1'), 'ENOENT')
  const captured = await given.captured()
  assert.equal(await captured.readOrErrno(releaseMem), 'EACCES')
  assert.equal(await captured.wrote(releaseMem, '0'), 'EINVAL')
  const off = await given.lpar({ bootArguments: 'fadump=off' })
  for (const path of [enabled, registered, releaseMem, region]) {
    assert.equal(await off.readOrErrno(path), 'ENOENT', path)
  }
}

interface ErrnoRow {
  /** 1: registered before the write. */
  readonly before: 0 | 1
  readonly write: string
  /** What firmware answers. */
  readonly status?: number
  readonly v5: readonly [answer: string, after: 0 | 1]
  readonly modern: readonly [answer: string, after: 0 | 1]
}

/** Spec §10.1 for a kernel without an active dump; `no area` cannot come about, as fadump is disabled then. */
const errnoRows: readonly ErrnoRow[] = [
  { before: 0, write: 'garbage', v5: ['EINVAL', 0], modern: ['EINVAL', 0] },
  { before: 1, write: '\n', v5: ['EINVAL', 1], modern: ['EINVAL', 1] },
  { before: 0, write: '2', v5: ['EINVAL', 0], modern: ['EINVAL', 0] },
  { before: 0, write: '-1', v5: ['EINVAL', 0], modern: ['EINVAL', 0] },
  { before: 0, write: '0', v5: ['EINVAL', 0], modern: ['ok', 0] },
  { before: 1, write: '0', v5: ['ok', 0], modern: ['ok', 0] },
  { before: 1, write: '1', v5: ['EINVAL', 1], modern: ['ok', 1] },
  { before: 0, write: '1', v5: ['ok', 1], modern: ['ok', 1] },
  { before: 0, write: '1', status: -1, v5: ['ok', 0], modern: ['EIO', 0] },
  { before: 0, write: '1', status: -3, v5: ['ok', 0], modern: ['EINVAL', 0] },
  { before: 0, write: '1', status: -9, v5: ['ok', 1], modern: ['EEXIST', 1] },
  { before: 0, write: '1', status: -10, v5: ['ok', 0], modern: ['EIO', 0] },
  { before: 0, write: '1', status: -77, v5: ['ok', 0], modern: ['EIO', 0] },
]

async function become(lpar: Lpar, wanted: 0 | 1): Promise<void> {
  if ((await lpar.read(registered)) !== `${wanted}\n`) await lpar.write(registered, `${wanted}`)
  assert.equal(await lpar.read(registered), `${wanted}\n`)
}

const errnos: Check = async (given) => {
  for (const row of errnoRows) {
    const lpar = await given.lpar()
    await become(lpar, row.before)
    if (row.status !== undefined) await lpar.arm('register-status', row.status)
    const answer = await lpar.wrote(registered, row.write)
    const after = Number(await lpar.read(registered))
    assert.deepEqual([answer, after], row[given.cell.profile], JSON.stringify(row))
  }
  const refused = await given.lpar()
  await refused.arm('unregister-status', -1)
  assert.equal(await refused.wrote(registered, '0'), 'ok')
  assert.equal(await refused.read(registered), '1\n')
  const captured = await given.captured()
  for (const text of ['0', '1', 'garbage']) {
    assert.equal(await captured.wrote(registered, text), 'EPERM', text)
  }
  for (const text of ['0', '2', 'x', '\n']) {
    assert.equal(await captured.wrote(releaseMem, text), 'EINVAL', text)
  }
}

const syntax: Check = async (given) => {
  const lpar = await given.lpar()
  for (const [text, v5, modern] of [
    ['0junk', 'ok', 'EINVAL'],
    ['1junk', 'ok', 'EINVAL'],
    ['0x0', 'ok', 'ok'],
    ['0x1', 'EINVAL', 'ok'],
    ['01', 'EINVAL', 'ok'],
  ] as const) {
    assert.equal(await lpar.wrote(registered, text), given.byProfile({ v5, modern }), text)
  }
}

/** Linux' Documentation/powerpc/firmware-assisted-dump.txt: 2 GiB, 256 MiB of boot memory. */
const example = {
  first: `CPU : [0x0000006ffb0000-0x0000006fff001f] 0x40020 bytes, Dumped: 0x0
HPTE: [0x0000006fff0020-0x0000006fff101f] 0x1000 bytes, Dumped: 0x0
DUMP: [0x0000006fff1020-0x0000007fff101f] 0x10000000 bytes, Dumped: 0x0
`,
  second: `CPU : [0x0000006ffb0000-0x0000006fff001f] 0x40020 bytes, Dumped: 0x40020
HPTE: [0x0000006fff0020-0x0000006fff101f] 0x1000 bytes, Dumped: 0x1000
DUMP: [0x0000006fff1020-0x0000007fff101f] 0x10000000 bytes, Dumped: 0x10000000
    : [0x00000010000000-0x0000006ffaffff] 0x5ffb0000 bytes, Dumped: 0x5ffb0000
`,
}

const documentation: Check = async (given) => {
  const bootArguments = 'fadump=on fadump_reserve_mem=256M'
  const lpar = await given.lpar({ bootArguments, processors: 32, offlineCpus: [] })
  assert.equal(await lpar.read(region), example.first)
  await lpar.crash()
  assert.equal(await lpar.read(region), example.second)
}

const modernTree: Check = async (given) => {
  const first = await given.registered()
  for (const name of ['enabled', 'registered']) {
    const value = await first.read(`kernel/fadump/${name}`)
    assert.equal(await first.read(`kernel/fadump_${name}`), value)
    assert.equal(value, '1\n')
  }
  assert.equal(await first.read('kernel/fadump/mem_reserved'), '335610536\n')
  assert.equal(await first.read('kernel/fadump/hotplug_ready'), '1\n')
  const lpar = await given.lpar()
  await lpar.crash()
  assert.equal(await lpar.wrote('kernel/fadump/release_mem', '0'), 'EINVAL')
  assert.equal(await lpar.wrote(releaseMem, '1'), 'ok')
  const off = await given.lpar({ bootArguments: 'fadump=off' })
  assert.equal(await off.read('kernel/fadump/enabled'), '0\n')
  assert.equal(await off.read('kernel/fadump/mem_reserved'), '0\n')
}

const appended: Check = async (given) => {
  const path = 'kernel/fadump/bootargs_append'
  const lpar = await given.lpar()
  assert.equal(await lpar.read(path), '\n')
  assert.equal(await lpar.wrote(path, 'x'.repeat(2048)), 'EINVAL')
  // "fadump=on" has 9 bytes.
  assert.equal(await lpar.wrote(path, 'x'.repeat(2039)), 'ENOSPC')
  assert.equal(await lpar.wrote(path, 'x'.repeat(2038)), 'ok')
  assert.equal(await lpar.wrote(path, 'nr_cpus=1 quiet\n'), 'ok')
  assert.equal(await lpar.read(path), 'nr_cpus=1 quiet\n')
  await lpar.crash()
  assert.equal(await lpar.proc('cmdline'), 'fadump=on nr_cpus=1 quiet\n')
  assert.equal(await lpar.wrote(path, 'x'), 'EPERM')
}

const concurrentWriters: Check = async (given) => {
  const lpar = await given.lpar()
  const texts = Array.from({ length: 12 }, (_, index) => `${index % 2}`)
  await Promise.all(texts.map((text) => lpar.wrote(registered, text)))
  // Firmware never sees the same command twice in a row: who is second finds it done.
  assert.ok(lpar.calls().every(({ status }) => status === 0))
  const { registration } = await lpar.partition()
  const flag = await lpar.read(registered)
  assert.equal(registration, flag === '1\n' ? 'registered' : 'idle')
  await become(lpar, 1)
  await lpar.crash()
  await Promise.all([lpar.wrote(releaseMem, '1'), lpar.wrote(releaseMem, '1')])
  const invalidations = lpar.calls().filter(({ args: [command] }) => command === 3)
  assert.equal(invalidations.length, 1)
}

const hotRemove: Check = async (given) => {
  const lpar = await given.lpar()
  const remove = (block: string) => lpar.wrote('kernel/dlpar', `memory remove index ${block}`)
  // Boot memory ends in block 1, the reserved area in block 2; block 4 is free.
  assert.equal(await remove('0x80000001'), 'EINVAL')
  assert.equal(await remove('0x80000002'), 'EINVAL')
  assert.equal(await remove('0x80000004'), 'ok')
  await lpar.write(registered, '0')
  assert.equal(await remove('0x80000002'), 'ok')
}

async function emptyRegion(given: Given): Promise<void> {
  const lpar = await given.lpar({ bootArguments: 'fadump=off' })
  // Linux 3.4 makes the file together with the others; 6.10 whenever firmware offers dumps.
  assert.equal(await lpar.readOrErrno(region), given.byProfile({ v5: 'ENOENT', modern: '' }))
}

export const sysfsChecks: Checks = {
  C130: modes,
  C131: errnos,
  C132: syntax,
  C133: async (given) => {
    const first = await given.registered()
    assert.equal(await first.read(enabled), '1\n')
    assert.equal(await first.read(registered), '1\n')
    const captured = await given.captured()
    assert.equal(await captured.read(registered), '0\n')
  },
  C134: documentation,
  C135: emptyRegion,
  C136: modernTree,
  C137: appended,
  C138: concurrentWriters,
  C139: hotRemove,
}
