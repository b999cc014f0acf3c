import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { seededRandom, splitMix64, systemRandom, xoshiro128 } from './random.ts'

describe('the generators', () => {
  test('xoshiro128** gives the numbers of the reference implementation', () => {
    // Printed by xoshiro128starstar.c 1.1 (Blackman and Vigna) from the state 1, 2, 3, 4.
    const expected = [
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597,
      4258142804,
    ]
    const draw = xoshiro128([1, 2, 3, 4])
    assert.deepEqual(Array.from(expected, draw), expected)
  })

  test('splitmix64 gives the numbers of the reference implementation', () => {
    // Printed by splitmix64.c (Vigna) from the state 1234567.
    const expected = [
      6457827717110365317n,
      3203168211198807973n,
      9817491932198370423n,
      4593380528125082431n,
      16408922859458223821n,
    ]
    let state = 1234567n
    for (const value of expected) {
      const step = splitMix64(state)
      assert.equal(step.value, value)
      state = step.state
    }
  })
})

describe('seeded randomness', () => {
  const drawn = (seed: bigint | number) => {
    const random = seededRandom(seed)
    return [random.next(), random.int(1000), random.hex(8), random.fork('disk').next()]
  }

  test('the same seed gives the same numbers, another seed others', () => {
    assert.deepEqual(drawn(7), drawn(7n))
    assert.notDeepEqual(drawn(7), drawn(8))
    assert.notDeepEqual(drawn(0n), drawn(1n << 63n))
  })

  test('a fork depends on the seed and its label, not on what was drawn before', () => {
    const fresh = seededRandom(42)
    const used = seededRandom(42)
    used.next()
    assert.equal(fresh.fork('network').hex(16), used.fork('network').hex(16))
    assert.notEqual(fresh.fork('network').hex(16), fresh.fork('disk').hex(16))
    assert.notEqual(fresh.fork('network').hex(16), fresh.hex(16))
  })

  test('integers are below their bound and reach every value', () => {
    const random = seededRandom(1)
    const seen = new Set(Array.from({ length: 200 }, () => random.int(6)))
    assert.deepEqual(
      [...seen].toSorted((a, b) => a - b),
      [0, 1, 2, 3, 4, 5],
    )
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
        fc.integer({ min: 1, max: 2 ** 32 }),
        (seed, bound) => {
          const value = seededRandom(seed).int(bound)
          return Number.isInteger(value) && value >= 0 && value < bound
        },
      ),
    )
  })
})

for (const [name, random] of [
  ['seeded', seededRandom(3)] as const,
  ['system', systemRandom()] as const,
]) {
  describe(`${name} randomness`, () => {
    test('draws fractions in [0, 1) and whole bytes of hexadecimal digits', () => {
      const fractions = Array.from({ length: 1000 }, () => random.next())
      assert.ok(fractions.every((fraction) => fraction >= 0 && fraction < 1))
      assert.ok(
        fractions.some((fraction) => fraction < 0.1) &&
          fractions.some((fraction) => fraction > 0.9),
      )
      assert.match(random.hex(16), /^[0-9a-f]{32}$/)
      assert.equal(random.hex(0), '')
    })

    test('refuses a bound that no integer is below', () => {
      for (const bound of [0, -1, 1.5, 2 ** 32 + 1, Number.NaN])
        assert.throws(() => random.int(bound), /is not a bound/)
    })
  })
}
