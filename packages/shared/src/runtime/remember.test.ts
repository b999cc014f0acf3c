import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rememberedCodec, remembering } from './remember.ts'

test('a text is decoded once, until so many others have come that it is forgotten', () => {
  const decoded: string[] = []
  const length = remembering(2, (text) => {
    decoded.push(text)
    return text.length
  })
  assert.deepEqual([length('a'), length('bb'), length('a'), length('bb')], [1, 2, 1, 2])
  assert.deepEqual(decoded, ['a', 'bb'])
  assert.deepEqual([length('ccc'), length('bb'), length('a')], [3, 2, 1])
  assert.deepEqual(decoded, ['a', 'bb', 'ccc', 'a'])
})

test('a text that cannot be decoded is refused each time', () => {
  const parse = remembering(2, (text) => BigInt(text))
  assert.throws(() => parse('x'), SyntaxError)
  assert.throws(() => parse('x'), SyntaxError)
  assert.equal(parse('7'), 7n)
})

test('what was written is not decoded when it is read, and not encoded when it is written again', () => {
  const calls: string[] = []
  const codec = rememberedCodec<{ readonly n: number }>(2, {
    encode: (value) => {
      calls.push(`encode ${value.n}`)
      return String(value.n)
    },
    decode: (text) => {
      calls.push(`decode ${text}`)
      return { n: Number(text) }
    },
  })
  const one = { n: 1 }
  assert.equal(codec.encode(one), '1')
  assert.equal(codec.encode(one), '1')
  assert.equal(codec.decode('1'), one)
  assert.deepEqual(codec.decode('2'), { n: 2 })
  assert.deepEqual(codec.decode('3'), { n: 3 })
  assert.deepEqual(codec.decode('1'), { n: 1 })
  assert.deepEqual(calls, ['encode 1', 'decode 2', 'decode 3', 'decode 1'])
})
