/** A collector's container dies in mid-transfer and stays dead; another one, on the same volume, ends its work. */
import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import type { Dump } from '@fadump-lab/shared/contracts'
import { startContainerRoom, type ContainerRoom } from '../../support/containers.ts'
import { eventually } from '../../support/eventually.ts'
import { without } from '../../support/tools.ts'

const MiB = 2 ** 20
/** Of small-window.yml. */
const windowBytes = 4 * MiB
/** `stat %b` counts whole blocks where a piece ends inside of one, and blocks of the file system's own extent tree. */
const blocksBesidesBytes = 64 * 1024
const populatedBytes = 192 * MiB
const partition = 'p1'
const collectors = [1, 2] as const
const timeout = 600_000
const waitMs = 240_000

suite('docker kill -9 of a collector in mid-transfer', { skip: without('docker'), timeout }, () => {
  test(
    'costs at most one window: the other collector goes on from the last checkpoint',
    { timeout },
    async (t) => {
      const overrides = ['test/support/compose/small-window.yml']
      const scale = { 'dump-collector': collectors.length }
      await using room = await startContainerRoom({ overrides, scale })
      const content = { seed: 3, populatedBytes }
      await room.api.boot({ id: partition, memoryBytes: 1024 * MiB, processors: 1, content })
      await room.api.routes.crash({ params: { partition }, body: {} })
      const dump = await inMidTransfer(room)
      const victim = await holderOf(room, dump.id)
      await room.docker('kill', '--signal', 'KILL', room.container('dump-collector', victim))

      const other = victim === 1 ? 2 : 1
      const left = await whatIsLeft(room, other, dump.id)
      const sentAgain = left.writtenBytes - left.vouchedBytes
      t.diagnostic(
        `${left.writtenBytes / MiB} MiB were written, ${sentAgain / MiB} MiB of them are sent again`,
      )
      assert.equal(left.isTransferred, false, 'the transfer was still under way')
      assert.ok(left.vouchedBytes > 0, 'a checkpoint had been made')
      const bound = windowBytes + blocksBesidesBytes
      assert.ok(sentAgain <= bound, `${sentAgain} bytes were not vouched for`)

      const whole = await stored(room, dump.id, left.vouchedBytes)
      assert.equal(whole.attempts, 2)
      const read = `cat /dumps/${partition}/${dump.id}/manifest.json`
      const manifest = JSON.parse(await room.exec('dump-collector', ['sh', '-c', read], other)) as {
        readonly populatedBytes: number
      }
      assert.equal(Number(whole.transferredBytes), manifest.populatedBytes, 'each byte counts once')
      const state = room.inspect(room.container('dump-collector', victim), '{{.State.Running}}')
      assert.equal(await state, 'false', 'the first one has never come back')
    },
  )
})

/** As soon as so much has come that a checkpoint lies behind it. */
async function inMidTransfer(room: ContainerRoom): Promise<Dump> {
  let dump: Dump | undefined
  await eventually(
    'two windows have come',
    async () => {
      ;[dump] = await room.api.routes.listDumps({ query: { partition } })
      return dump !== undefined && dump.transferredBytes >= 2n * BigInt(windowBytes)
    },
    waitMs,
  )
  if (dump === undefined) throw new Error('no dump')
  return dump
}

/** Which instance has claimed it, by its log. */
async function holderOf(room: ContainerRoom, dump: string): Promise<number> {
  for (const instance of collectors) {
    const { stdout, stderr } = await room.docker('logs', room.container('dump-collector', instance))
    const claimed = `${stdout}${stderr}`
      .split('\n')
      .some((line) => line.includes(dump) && line.includes('"claimed"'))
    if (claimed) return instance
  }
  return assert.fail(`no collector has claimed ${dump}`)
}

/** As the dead one has left it: the other one cannot claim it before the lease has ended. */
async function whatIsLeft(
  room: ContainerRoom,
  instance: number,
  dump: string,
): Promise<{
  readonly isTransferred: boolean
  readonly vouchedBytes: number
  readonly writtenBytes: number
}> {
  const directory = `/dumps/${partition}/${dump}.incomplete`
  const look = `cat ${directory}/progress.json && stat -c %b ${directory}/vmcore`
  const text = await room.exec('dump-collector', ['sh', '-c', look], instance)
  const [, progress = '', blocks] = /^(\{.*\})\s*(\d+)\s*$/s.exec(text) ?? []
  const { receivedBytes, isTransferred } = JSON.parse(progress) as {
    readonly receivedBytes: string | number
    readonly isTransferred: boolean
  }
  return { isTransferred, vouchedBytes: Number(receivedBytes), writtenBytes: Number(blocks) * 512 }
}

async function stored(room: ContainerRoom, dump: string, vouchedBytes: number): Promise<Dump> {
  let now: Dump | undefined
  await eventually(
    `${dump} is complete`,
    async () => {
      now = await room.api.routes.getDump({ params: { dump } }).catch(() => undefined)
      // Until somebody has claimed it, dump.json can be one checkpoint behind progress.json.
      const isBehind = now !== undefined && now.transferredBytes < BigInt(vouchedBytes)
      assert.ok(!isBehind || now?.attempts === 1, 'it did not begin again')
      return now?.status === 'complete' && now.released
    },
    waitMs,
  )
  if (now === undefined) throw new Error('no dump')
  return now
}
