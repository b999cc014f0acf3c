/** A collector dies by SIGKILL in mid-transfer; another process ends its work, on a real Redis. */
import assert from 'node:assert/strict'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import test, { suite } from 'node:test'
import { eventually } from '../support/eventually.ts'
import { startProcessRoom, type ProcessRoom } from '../support/processes.ts'
import { without } from '../support/tools.ts'

const MiB = 2 ** 20
const windowMiB = 4
const populatedBytes = 192 * MiB
const partition = 'p1'
const timeoutMs = 240_000

interface Left {
  readonly dump: string
  /** What the dead collector had vouched for. */
  readonly vouchedBytes: number
  /** What it had written. */
  readonly writtenBytes: number
}

suite('SIGKILL of a collector in mid-transfer', { skip: without('redis-server') }, () => {
  test('costs at most one window: another collector goes on from the last checkpoint', async () => {
    await using room = await startProcessRoom({ env: { CAPTURE_WINDOW_MIB: String(windowMiB) } })
    await room.api.boot({
      id: partition,
      memoryBytes: 1024 * MiB,
      processors: 1,
      content: { seed: 3, populatedBytes },
    })
    await room.api.routes.crash({ params: { partition }, body: {} })
    const left = await killInTransfer(room)
    const sentAgain = left.writtenBytes - left.vouchedBytes
    assert.ok(left.vouchedBytes > 0, 'a checkpoint was made')
    assert.ok(sentAgain <= windowMiB * MiB, `${sentAgain} bytes were not vouched for`)

    await room.start('dump-collector')
    const params = { dump: left.dump }
    await eventually(
      `${left.dump} is complete`,
      async () => {
        const now = await room.api.routes.getDump({ params })
        // Until somebody has claimed it, dump.json can be one checkpoint behind progress.json.
        const isBehind = now.transferredBytes < BigInt(left.vouchedBytes)
        assert.ok(!isBehind || now.attempts === 1, 'it did not begin again')
        return now.status === 'complete' && now.released
      },
      timeoutMs,
    )
    const dump = await room.api.routes.getDump({ params })
    assert.equal(dump.attempts, 2)
    const summary = join(room.dumpRoot, partition, left.dump, 'manifest.json')
    const manifest = JSON.parse(await readFile(summary, 'utf8')) as { populatedBytes: number }
    assert.equal(Number(dump.transferredBytes), manifest.populatedBytes, 'each byte counts once')
  })
})

/** Kills the collector as soon as its first checkpoint is on the disk. */
async function killInTransfer(room: ProcessRoom): Promise<Left> {
  let directory = ''
  let dump = ''
  await eventually(
    'a checkpoint is on the disk',
    async () => {
      dump = (await room.api.partition(partition)).lastDump ?? ''
      directory = join(room.dumpRoot, partition, `${dump}.incomplete`)
      const progress = await readJson(join(directory, 'progress.json'))
      return Number(progress?.['durableOffset'] ?? 0) > 0
    },
    timeoutMs,
  )
  await room.kill('dump-collector')
  const progress = await readJson(join(directory, 'progress.json'))
  assert.equal(progress?.['isTransferred'], false, 'the transfer was still under way')
  const { blocks } = await stat(join(directory, 'vmcore'))
  return {
    dump,
    vouchedBytes: Number(progress?.['receivedBytes']),
    writtenBytes: blocks * 512,
  }
}

async function readJson(path: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Readonly<Record<string, unknown>>
  } catch {
    return undefined
  }
}
