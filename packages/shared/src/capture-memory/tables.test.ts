/** The declared tables: complete, consistent, every number with its source. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { consumers } from './consumers.ts'
import { networkCards } from './network-cards.ts'
import { parameterNames, parameters } from './parameters.ts'
import { phaseNames, phases } from './phases.ts'
import { presets } from './presets/presets.ts'
import { settingNames, settingRow } from './settings.ts'

test('the phases are those of the crash path, in order', () => {
  assert.deepEqual(phaseNames, [
    'firmware hand-over',
    'kernel',
    'initramfs unpack',
    'user space',
    'udev',
    'network modules',
    'link up',
    'address',
    'collector process',
    'transfer',
    'done',
  ])
  assert.equal(new Set(phases.map(({ code }) => code)).size, phases.length)
})

test('consumers stand in the order of their phases, have names of their own and end after they began', () => {
  const order = consumers.map(({ phase }) => phaseNames.indexOf(phase))
  assert.deepEqual(
    order,
    order.toSorted((a, b) => a - b),
  )
  assert.equal(new Set(consumers.map(({ name }) => name)).size, consumers.length)
  for (const { name, phase, until } of consumers) {
    if (until === undefined) continue
    assert.ok(phaseNames.indexOf(until) >= phaseNames.indexOf(phase), name)
  }
})

describe('presets', () => {
  for (const [name, { values }] of Object.entries(presets)) {
    test(`${name}: every parameter has a number and a source`, () => {
      assert.deepEqual(Object.keys(values).toSorted(), Object.keys(parameters).toSorted())
      for (const parameter of parameterNames) {
        const { value, source } = values[parameter]
        assert.ok(Number.isFinite(value) && value >= 0, parameter)
        assert.ok(source.length > 3, parameter)
        if (parameters[parameter].unit === 'share') assert.ok(value <= 1, parameter)
      }
    })
  }

  test('every parameter is named in a formula', () => {
    const formulas = consumers.map(({ amountMiB }) => String(amountMiB)).join('\n')
    const unnamed = parameterNames.filter((name) => !formulas.includes(name))
    // Those of helpers: cards, targets, watermarks, bitmaps, threads, memory map, files.
    const elsewhere = [
      'structPage',
      'memoryMapUnit',
      'networkContent',
      'networkFiles',
      'networkModule',
      'bitmapMax',
      'bitmapFreeShare',
      'thread',
      'threadPages',
      'sshClient',
      'socketBuffers',
      'nfsClient',
      'httpServer',
      'dirtyShareLocal',
      'dirtyShareSsh',
      'dirtyShareNfs',
      'minimumFree',
      'minimumFreeShare',
      'vethLargeBuffers',
    ]
    assert.deepEqual(
      unnamed.filter((name) => !elsewhere.includes(name)),
      [],
    )
  })
})

describe('network cards', () => {
  const numbers = Object.fromEntries(
    parameterNames.map((name) => [name, presets['2011'].values[name].value]),
  ) as Record<(typeof parameterNames)[number], number>
  const rings = (kind: keyof typeof networkCards, use: { queues?: number; pageKiB?: number }) =>
    networkCards[kind].ringsMiB({ ports: 1, queues: 1, pageKiB: 64, ...use }, numbers)

  test('a queue pair of ehea fills 14.0 MiB', () => {
    assert.equal(rings('ehea', {}).toFixed(1), '14.0')
    assert.equal(rings('ehea', { queues: 8 }).toFixed(0), '112')
  })

  test('virtual Ethernet filled 4.05 MiB in 2011 and fills 36 since its pool of 64 KiB is active', () => {
    assert.equal(rings('ibmveth', {}).toFixed(2), '4.05')
    const today = { ...numbers, vethLargeBuffers: 256 }
    const use = { ports: 1, queues: 1, pageKiB: 64 }
    assert.equal(networkCards.ibmveth.ringsMiB(use, today).toFixed(2), '36.05')
  })

  test('a queue of ibmvnic fills 8.1 MiB', () => {
    assert.equal(rings('ibmvnic', {}).toFixed(1), '8.1')
  })

  test('a queue of i40e fills 32 MiB with 64 KiB pages and 2 MiB with 4 KiB pages', () => {
    assert.equal(rings('i40e', {}), 32)
    assert.equal(rings('i40e', { pageKiB: 4 }), 2)
  })
})

test('every setting has an option of its own, a meaning and valid values', () => {
  const options = settingNames.map((name) => settingRow(name).option)
  assert.equal(new Set(options).size, options.length)
  for (const name of settingNames) {
    const { option, meaning, valid } = settingRow(name)
    assert.match(option, /^[a-z-]+$/)
    assert.ok(meaning.length > 5 && valid.length > 3, name)
  }
})
