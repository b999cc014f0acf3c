import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import fc from 'fast-check'
import { TestMemory } from '../elf/core-builder.ts'
import { parseVmcoreinfo } from '../elf/index.ts'
import { fromHex, realAddress, toAscii, toHex } from '../units/index.ts'
import { characterLog } from './character-log.ts'
import {
  appendAll,
  LogFormatError,
  type LogLayout,
  type LogLine,
  type LogState,
  type RecordRingState,
} from './kernel-log.ts'
import { recordRing } from './record-ring.ts'
import { linesOf } from './text.ts'

const layout: LogLayout = { order: 'little', address: realAddress(0x12e_0000), bits: 17 }
/** 1 KiB of text, 32 descriptors. */
const small: LogLayout = { ...layout, bits: 10 }
const descriptorsAt = 128n
const infosAt = descriptorsAt + 24n * 32n
const textAt = infosAt + 88n * 32n

function started(place: LogLayout): { memory: TestMemory; state: RecordRingState } {
  const memory = new TestMemory()
  memory.apply([
    { address: place.address, bytes: new Uint8Array(recordRing.bytesNeeded(place)).fill(0xee) },
  ])
  const { writes, state } = recordRing.init(place)
  memory.apply(writes)
  assert.ok(state.log === 'record-ring')
  return { memory, state }
}

function appended(state: LogState, memory: TestMemory, lines: readonly LogLine[]): RecordRingState {
  const change = appendAll(recordRing, state, lines)
  memory.apply(change.writes)
  assert.ok(change.state.log === 'record-ring')
  return change.state
}

const line = (text: string, timestampNs = 0n): LogLine => ({ text, timestampNs, level: 6 })
/** A line whose block takes `bytes` of the ring. */
const block = (bytes: number, letter: string): LogLine => line(letter.repeat(bytes - 8))
/** The 64-bit value of a little-endian ring, as hexadecimal digits. */
const word = (memory: TestMemory, address: bigint): string =>
  toHex(memory.bytes(address, 8).toReversed())

suite('the record ring of modern kernels', () => {
  test('an empty ring: prb points at it, 4096 descriptors and 128 KiB of text from 17 bits', () => {
    const { memory } = started(layout)
    assert.equal(recordRing.bytesNeeded(layout), 128 + 4096 * (24 + 88) + 131_072)
    // vmcore.md §3: ids start at -(4096 + 1) mod 2^62, positions at -(2^17).
    assert.deepEqual(
      memory.bytes(0x12e_0000n, 96),
      fromHex(`08002e01000000c0
               0c00000000000000 80002e01000000c0 80802f01000000c0
               ffefffffffffff3f ffefffffffffff3f 0000000000000000
               1100000000000000 80003501000000c0 0000feffffffffff 0000feffffffffff 0000000000000000`),
    )
  })

  test('the first id sits reusable in the last slot, and info 0 waits for sequence 0', () => {
    const { memory } = started(layout)
    const descriptors = 0x12e_0080n
    assert.deepEqual(memory.bytes(descriptors, 24), new Uint8Array(24))
    assert.deepEqual(
      memory.bytes(descriptors + 24n * 4095n, 24),
      fromHex('ffefffffffffffff 0100000000000000 0100000000000000'),
    )
    assert.deepEqual(memory.bytes(descriptors + 24n * 4096n, 8), fromHex('00f0ffffffffffff'))
  })

  test('the first record: slot 0, sequence 0, finalized, text behind its id', () => {
    const { memory, state } = started(layout)
    appended(state, memory, [
      { text: 'Linux', timestampNs: 0x0102n, level: 5, callerId: 0x8000_0001 },
    ])
    const descriptors = 0x12e_0080n
    assert.deepEqual(
      memory.bytes(descriptors, 24),
      fromHex('00f0ffffffffffbf 0000feffffffffff 1000feffffffffff'),
    )
    assert.deepEqual(
      memory.bytes(descriptors + 24n * 4096n, 24),
      // level 5 above LOG_NEWLINE (2)
      fromHex('0000000000000000 0201000000000000 0500 00 a2 01000080'),
    )
    const text = descriptors + (24n + 88n) * 4096n
    assert.deepEqual(memory.bytes(text, 16), fromHex('00f0ffffffffff3f 4c696e7578 000000'))
    assert.deepEqual(
      memory.bytes(0x12e_0008n + 24n, 24),
      fromHex('00f0ffffffffff3f ffefffffffffff3f 0000000000000000'),
    )
  })

  test('a big-endian kernel has its bit-fields from the high end', () => {
    const place: LogLayout = { ...small, order: 'big' }
    const { memory, state } = started(place)
    appended(state, memory, [{ text: 'x', timestampNs: 1n, level: 5 }])
    assert.deepEqual(
      memory.bytes(place.address + infosAt, 24),
      fromHex('0000000000000000 0000000000000001 0001 00 15 00000000'),
    )
  })

  test('VMCOREINFO exports what a 7.2 kernel exports, in its order', () => {
    const text = recordRing.vmcoreinfo(layout).map(([key, value]) => `${key}=${value}`)
    assert.deepEqual(text.slice(0, 3), [
      'SYMBOL(prb)=c0000000012e0000',
      'SYMBOL(printk_rb_static)=c0000000012e0008',
      'SYMBOL(clear_seq)=c0000000012e0060',
    ])
    // The lines of Linux 7.2.12 ppc64le.
    assert.deepEqual(
      text.slice(3),
      `SIZE(printk_ringbuffer)=88 OFFSET(printk_ringbuffer.desc_ring)=0
       OFFSET(printk_ringbuffer.text_data_ring)=48 OFFSET(printk_ringbuffer.fail)=80
       SIZE(prb_desc_ring)=48 OFFSET(prb_desc_ring.count_bits)=0 OFFSET(prb_desc_ring.descs)=8
       OFFSET(prb_desc_ring.infos)=16 OFFSET(prb_desc_ring.head_id)=24
       OFFSET(prb_desc_ring.tail_id)=32 SIZE(prb_desc)=24 OFFSET(prb_desc.state_var)=0
       OFFSET(prb_desc.text_blk_lpos)=8 SIZE(prb_data_blk_lpos)=16
       OFFSET(prb_data_blk_lpos.begin)=0 OFFSET(prb_data_blk_lpos.next)=8 SIZE(printk_info)=88
       OFFSET(printk_info.seq)=0 OFFSET(printk_info.ts_nsec)=8 OFFSET(printk_info.text_len)=16
       OFFSET(printk_info.caller_id)=20 OFFSET(printk_info.dev_info)=24 SIZE(dev_printk_info)=64
       OFFSET(dev_printk_info.subsystem)=0 LENGTH(printk_info_subsystem)=16
       OFFSET(dev_printk_info.device)=16 LENGTH(printk_info_device)=48 SIZE(prb_data_ring)=32
       OFFSET(prb_data_ring.size_bits)=0 OFFSET(prb_data_ring.data)=8
       OFFSET(prb_data_ring.head_lpos)=16 OFFSET(prb_data_ring.tail_lpos)=24
       SIZE(atomic_long_t)=8 OFFSET(atomic_long_t.counter)=0 SIZE(latched_seq)=24
       OFFSET(latched_seq.val)=8`.split(/\s+/),
    )
  })
})

suite('the record ring wraps', () => {
  test('a block that would cross the end is stored at the start; begin stays, next lies in the next wrap', () => {
    const { memory, state } = started(small)
    const after = appended(state, memory, [block(400, 'a'), block(400, 'b'), block(400, 'c')])
    assert.deepEqual(
      after.blocks.map(({ begin, next }) => [begin & 0x3ffn, next & 0x3ffn]),
      [
        [400n, 800n],
        [800n, 400n],
      ],
    )
    const text = small.address + textAt
    assert.equal(toAscii(memory.bytes(text + 8n, 392)), 'c'.repeat(392))
    // The id stands where the block begins and where it is stored.
    assert.deepEqual(memory.bytes(text + 800n, 8), memory.bytes(text, 8))
  })

  test('an exact fit to the end counts as crossing it', () => {
    const start = [block(400, 'a'), block(400, 'b')]
    const { memory, state } = started(small)
    const after = appended(state, memory, [...start, block(224, 'c')])
    assert.deepEqual(
      after.blocks.map(({ begin, next }) => [begin, next]),
      [
        [2n ** 64n - 624n, 2n ** 64n - 224n],
        [2n ** 64n - 224n, 224n],
      ],
    )
    assert.equal(toAscii(memory.bytes(small.address + textAt + 8n, 216)), 'c'.repeat(216))
    const fits = appended(started(small).state, new TestMemory(), [...start, block(216, 'c')])
    assert.equal(fits.blocks.length, 3)
    assert.equal(fits.headLpos, 2n ** 64n - 8n)
  })

  test('a record whose text makes room becomes reusable; tail_id stays until its slot is needed', () => {
    const { memory, state } = started(small)
    const after = appended(state, memory, [block(400, 'a'), block(400, 'b'), block(400, 'c')])
    const first = small.address + descriptorsAt
    // DESC0 = -(32 + 1) mod 2^62; the first record has the id after it.
    assert.equal(word(memory, first), 'ffffffffffffffe0')
    assert.equal(word(memory, first + 24n), 'bfffffffffffffe1')
    assert.equal(word(memory, first + 48n), 'bfffffffffffffe2')
    assert.equal(after.tailId, 2n ** 62n - 33n)
  })

  test('the 33rd record takes the slot of the first one and its text', async () => {
    const { memory, state } = started(small)
    const lines = Array.from({ length: 33 }, (_, index) => line(`n ${index}`))
    const after = appended(state, memory, lines)
    assert.equal(after.tailId, 2n ** 62n - 33n + 2n)
    assert.equal(after.headId, 0n, 'ids count modulo 2^62')
    assert.equal(word(memory, small.address + descriptorsAt), '8000000000000000')
    const stored = await recordRing.read(after, memory.read)
    assert.deepEqual(
      stored.map(({ sequence, text }) => `${sequence} ${text}`),
      Array.from({ length: 32 }, (_, index) => `${index + 1} n ${index + 1}`),
    )
  })

  test('a record without text takes no room and is kept', async () => {
    const { memory, state } = started(small)
    const after = appended(state, memory, [line('a'), line(''), line('b')])
    assert.deepEqual(
      memory.bytes(small.address + descriptorsAt + 24n + 8n, 16),
      fromHex('0300000000000000 0300000000000000'),
    )
    const stored = await recordRing.read(after, memory.read)
    assert.deepEqual(
      stored.map(({ text }) => text),
      ['a', '', 'b'],
    )
  })

  test('a text is cut at 1024 bytes, or so that its block takes less than half of a small ring', async () => {
    for (const [place, bytes] of [
      [layout, 1024],
      [small, 496],
    ] as const) {
      const { memory, state } = started(place)
      const after = appended(state, memory, [line('y'.repeat(5000))])
      const [stored] = await recordRing.read(after, memory.read)
      assert.equal(stored?.text.length, bytes)
    }
  })
})

const anyLine = fc.record({
  text: fc.string({ unit: 'binary-ascii', maxLength: 600 }),
  timestampNs: fc.bigInt(0n, 10n ** 18n),
  level: fc.nat(7),
  callerId: fc.nat(0xffff_ffff),
})

suite('the record ring is all in memory', () => {
  for (const order of ['little', 'big'] as const) {
    test(`what was appended is read back and the state is found again, ${order}-endian`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(anyLine, { maxLength: 80 }), async (lines) => {
          const place = { ...small, order }
          const { memory, state } = started(place)
          const after = appended(state, memory, lines)
          assert.deepEqual(await recordRing.load(place, memory.read), after)
          const expected = lines
            .flatMap(({ text, ...rest }) =>
              linesOf(text, 496).map((bytes) => ({ ...rest, text: toAscii(bytes) })),
            )
            .map((each, index) => ({ ...each, sequence: BigInt(index) }))
          const withText = expected.filter(({ text }) => text !== '')
          const found = await recordRing.read(after, memory.read)
          const foundText = found.filter(({ text }) => text !== '')
          assert.deepEqual(foundText, withText.slice(withText.length - foundText.length))
          assert.equal(found.at(-1)?.sequence, expected.at(-1)?.sequence)
          const bytes = withText.reduce((sum, { text }) => sum + 16 + text.length, 0)
          if (bytes < 1024 && expected.length <= 32) assert.equal(found.length, expected.length)
        }),
      )
    })
  }

  test('no text block ever ends at the end of the ring, overlaps another, or leaves it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyLine, { minLength: 5, maxLength: 60 }), async (lines) => {
        const { memory, state } = started(small)
        const { blocks, headLpos, tailLpos } = appended(state, memory, lines)
        assert.ok(BigInt.asUintN(64, headLpos - tailLpos) <= 1024n)
        for (const { next } of blocks) assert.notEqual(next & 0x3ffn, 0n)
      }),
    )
  })

  test('appending through a loaded state equals appending through the first one', async () => {
    const { memory, state } = started(small)
    const lines = Array.from({ length: 100 }, (_, index) =>
      line(`line ${index} `.repeat(index % 9)),
    )
    let stateless: LogState = state
    for (const each of lines) {
      memory.apply(recordRing.append(stateless, each).writes)
      stateless = await recordRing.load(small, memory.read)
    }
    assert.deepEqual(stateless, appendAll(recordRing, state, lines).state)
  })

  test('the log of a vmcore is found by its VMCOREINFO and can be appended to', async () => {
    const { memory, state } = started(layout)
    appended(state, memory, [line('before the crash')])
    const text = recordRing
      .vmcoreinfo(layout)
      .map(([key, value]) => `${key}=${value}\n`)
      .join('')
    const found = await recordRing.attach(parseVmcoreinfo(text), 'little', memory.read)
    assert.ok(found)
    const after = appended(found, memory, [line('Kernel panic')])
    const stored = await recordRing.read(after, memory.read)
    assert.deepEqual(
      stored.map((each) => each.text),
      ['before the crash', 'Kernel panic'],
    )
    const older = text.replace('SIZE(printk_ringbuffer)=88', 'SIZE(printk_ringbuffer)=80')
    assert.equal(await recordRing.attach(parseVmcoreinfo(older), 'little', memory.read), undefined)
    assert.equal(await recordRing.attach(new Map(), 'little', memory.read), undefined)
  })

  test('memory that holds no ring, or a damaged one, is refused', async () => {
    const { memory, state } = started(small)
    appended(state, memory, [line('a'), line('b')])
    const load = (place: LogLayout, from: TestMemory): Promise<LogState> =>
      recordRing.load(place, from.read)
    await assert.rejects(load(small, new TestMemory()), LogFormatError)
    await assert.rejects(load({ ...small, order: 'big' }, memory), LogFormatError)
    await assert.rejects(load({ ...small, bits: 11 }, memory), LogFormatError)
    const damages = [
      [8n + 8n, '0000000000000000', 'descs is no kernel pointer'],
      [8n + 32n, '0000000000000000', 'tail_id is not within 32 ids of head_id'],
      [8n + 64n, '0000000000000000', 'head_lpos is not where the last text ends'],
      [descriptorsAt + 8n, '0800000000000000', 'the first text does not begin at tail_lpos'],
    ] as const
    for (const [offset, bytes, what] of damages) {
      const kept = memory.bytes(small.address + offset, 8)
      memory.apply([{ address: small.address + offset, bytes: fromHex(bytes) }])
      await assert.rejects(load(small, memory), LogFormatError, what)
      memory.apply([{ address: small.address + offset, bytes: kept }])
    }
    await load(small, memory)
  })

  test('the state of a character log is no use', () => {
    const { state } = characterLog.init(small)
    assert.throws(() => recordRing.append(state, line('x')), { name: 'InvariantError' })
    assert.throws(() => characterLog.append(started(small).state, line('x')), {
      name: 'InvariantError',
    })
  })
})
