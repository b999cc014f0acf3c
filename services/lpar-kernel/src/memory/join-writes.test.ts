import assert from 'node:assert/strict'
import { test } from 'node:test'
import { realAddress } from '@fadump-lab/shared/units'
import fc from 'fast-check'
import { joinWrites } from './join-writes.ts'

const write = (address: number, bytes: readonly number[]) => ({
  address: realAddress(BigInt(address)),
  bytes: Uint8Array.from(bytes),
})
const plain = (writes: ReturnType<typeof joinWrites>) =>
  writes.map(({ address, bytes }) => [Number(address), [...bytes]])

test('writes one behind the other become one, with gaps kept', () => {
  const writes = [write(10, [1, 2]), write(12, [3]), write(20, [9]), write(8, [7, 8])]
  assert.deepEqual(plain(joinWrites(writes)), [
    [20, [9]],
    [8, [7, 8, 1, 2, 3]],
  ])
})

test('what was written last comes last, also at the lowest address: the head of a log behind its records', () => {
  const head = write(0, [2])
  const writes = [write(40, [5]), head, write(20, [6]), write(0, [3])]
  assert.deepEqual(plain(joinWrites(writes)), [
    [40, [5]],
    [20, [6]],
    [0, [3]],
  ])
})

test('of writes to the same place the last one counts, and the caller keeps its bytes', () => {
  const first = write(4, [1, 1, 1, 1])
  assert.deepEqual(plain(joinWrites([first, write(5, [2, 2]), write(7, [3, 3])])), [
    [4, [1, 2, 2, 3, 3]],
  ])
  assert.deepEqual([...first.bytes], [1, 1, 1, 1])
})

test('memory is the same after joined writes as after the writes one by one', () => {
  const writes = fc.array(
    fc
      .tuple(fc.nat(60), fc.uint8Array({ maxLength: 12 }))
      .map(([address, bytes]) => write(address, [...bytes])),
    { maxLength: 12 },
  )
  fc.assert(
    fc.property(writes, (given) => {
      const memories = [given, joinWrites(given)].map((some) => {
        const memory = new Uint8Array(80)
        for (const { address, bytes } of some) memory.set(bytes, Number(address))
        return memory
      })
      assert.deepEqual(memories[0], memories[1])
      const joined = plain(joinWrites(given)).toSorted(([a], [b]) => Number(a) - Number(b))
      for (const [index, [address]] of joined.entries()) {
        const before = joined[index - 1]
        if (before === undefined) continue
        assert.ok(Number(address) > Number(before[0]) + (before[1] as number[]).length)
      }
    }),
  )
})
