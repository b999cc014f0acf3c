import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import type { StreamedReply } from '@fadump-lab/shared/http'
import type { Console, Question, Routes } from './console.ts'
import { storedDumps } from './stored-dumps.ts'

const MiB = 2 ** 20
const file = new Uint8Array(40 * MiB).map((_, index) => index >> 12)

/** A collector whose connection breaks in the middle of a piece, as often as `breaks` says, and the ranges it was asked for. */
function collector(breaks: number): {
  readonly console: Pick<Console, 'ask' | 'order'>
  readonly asked: string[]
} {
  const asked: string[] = []
  let left = breaks
  const downloadVmcore = ({ headers }: { headers: { range: string } }): Promise<StreamedReply> => {
    asked.push(headers.range)
    const [start = 0, last = 0] = headers.range.replace('bytes=', '').split('-').map(Number)
    async function* body() {
      const middle = (start + last) >> 1
      yield file.subarray(start, middle)
      if (left-- > 0) throw new Error('the connection is gone')
      yield file.subarray(middle, last + 1)
    }
    return Promise.resolve({ status: 206, headers: new Headers(), body: body() })
  }
  const routes = { downloadVmcore } as unknown as Routes
  const ask = async <T>(question: Question<T>): Promise<T> => {
    for (;;) {
      try {
        return await question(routes)
      } catch {
        // Asked again.
      }
    }
  }
  return { console: { ask, order: (give) => ask(give) }, asked }
}

async function read(console: Pick<Console, 'ask' | 'order'>, range: string): Promise<Uint8Array> {
  const params = { dump: 'd' }
  const { body } = await storedDumps(console).downloadVmcore({ params, headers: { range } })
  const parts: Uint8Array[] = []
  for await (const part of body) parts.push(part)
  return new Uint8Array(await new Blob(parts).arrayBuffer())
}

suite('a stored vmcore over a console that is not always there', () => {
  test('comes in pieces that join without a gap', async () => {
    const { console, asked } = collector(0)
    const bytes = await read(console, `bytes=5-${file.length - 2}`)
    assert.deepEqual(bytes, file.subarray(5, -1))
    assert.deepEqual(asked, [
      'bytes=5-16777220',
      'bytes=16777221-33554436',
      `bytes=33554437-${file.length - 2}`,
    ])
  })

  test('is whole although its connection breaks, piece by piece', async () => {
    const { console, asked } = collector(2)
    assert.deepEqual(await read(console, 'bytes=0-99999'), file.subarray(0, 100_000))
    assert.equal(asked.length, 3)
  })

  test('a range of one byte is one piece', async () => {
    const { console, asked } = collector(0)
    assert.deepEqual(await read(console, 'bytes=4096-4096'), Uint8Array.of(1))
    assert.deepEqual(asked, ['bytes=4096-4096'])
  })
})
