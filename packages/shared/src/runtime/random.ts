/** Randomness, as a parameter: seeded and repeatable, or the system's own. */
import { randomBytes, randomInt } from 'node:crypto'
import { invariant, toHex } from '../units/index.ts'

export interface Random {
  /** In [0, 1), 53 bits. */
  next(): number
  /** An integer in [0, maxExclusive), every one equally likely; `maxExclusive` ≤ 2³². */
  int(maxExclusive: number): number
  /** So many random bytes as lower-case hexadecimal digits. */
  hex(bytes: number): string
  /** An independent source; depends on this source's seed and `label` only, not on what has been drawn. */
  fork(label: string): Random
}

const range32 = 2 ** 32
const mask64 = (1n << 64n) - 1n

/** The same seed gives the same numbers on every machine: xoshiro128** seeded by splitmix64. */
export function seededRandom(seed: bigint | number): Random {
  const seed64 = BigInt.asUintN(64, BigInt(seed))
  const draw = xoshiro128(seedState(seed64))
  return {
    next: () => ((draw() >>> 5) * 2 ** 26 + (draw() >>> 6)) / 2 ** 53,
    int: (maxExclusive) => boundedInt(draw, maxExclusive),
    hex: (bytes) => toHex(Uint8Array.from({ length: bytes }, () => draw() >>> 24)),
    fork: (label) => seededRandom(splitMix64(seed64 ^ fnv1a64(label)).value),
  }
}

/** The operating system's randomness; forks are the same source. */
export function systemRandom(): Random {
  const random: Random = {
    next: () => randomInt(2 ** 47) / 2 ** 47,
    int: (maxExclusive) => randomInt(checkedBound(maxExclusive)),
    hex: (bytes) => toHex(randomBytes(bytes)),
    fork: () => random,
  }
  return random
}

/** Blackman and Vigna's xoshiro128** 1.1: a function that draws 32 bits at a time. */
export function xoshiro128(seed: readonly [number, number, number, number]): () => number {
  let [s0, s1, s2, s3] = seed
  return () => {
    const drawn = Math.imul(rotateLeft(Math.imul(s1, 5), 7), 9) >>> 0
    const shifted = s1 << 9
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= shifted
    s3 = rotateLeft(s3, 11)
    return drawn
  }
}

/** One step of Steele, Lea and Flood's splitmix64. */
export function splitMix64(state: bigint): { readonly state: bigint; readonly value: bigint } {
  const next = (state + 0x9e3779b97f4a7c15n) & mask64
  let mixed = next
  mixed = ((mixed ^ (mixed >> 30n)) * 0xbf58476d1ce4e5b9n) & mask64
  mixed = ((mixed ^ (mixed >> 27n)) * 0x94d049bb133111ebn) & mask64
  return { state: next, value: mixed ^ (mixed >> 31n) }
}

function seedState(seed: bigint): readonly [number, number, number, number] {
  const first = splitMix64(seed)
  const second = splitMix64(first.state)
  const high = (value: bigint) => Number(value >> 32n)
  const low = (value: bigint) => Number(value & 0xffff_ffffn)
  return [high(first.value), low(first.value), high(second.value), low(second.value)]
}

/** Draws again in the uneven rest of 2³², so that no value is favoured. */
function boundedInt(draw: () => number, maxExclusive: number): number {
  const limit = range32 - (range32 % checkedBound(maxExclusive))
  for (;;) {
    const drawn = draw()
    if (drawn < limit) return drawn % maxExclusive
  }
}

function checkedBound(maxExclusive: number): number {
  const fits = Number.isInteger(maxExclusive) && maxExclusive >= 1 && maxExclusive <= range32
  invariant(fits, `${maxExclusive} is not a bound for random integers: 1 to 2^32`)
  return maxExclusive
}

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits))
}

/** Fowler, Noll and Vo's hash over the UTF-16 units of `text`. */
function fnv1a64(text: string): bigint {
  let hash = 0xcbf29ce484222325n
  for (let index = 0; index < text.length; index++) {
    hash = ((hash ^ BigInt(text.charCodeAt(index))) * 0x100000001b3n) & mask64
  }
  return hash
}
