import assert from 'node:assert/strict'
import { dirname } from 'node:path'
import test, { suite } from 'node:test'
import { dump as dumpSchema } from '@fadump-lab/shared/contracts'
import type { Fetch } from '@fadump-lab/shared/http'
import { openRoom } from './collector-room.ts'
import { aVmcore, manifestOf, startFakeKernel, wholeFile, type FakeKernel } from './fake-kernel.ts'
import { dyingDisk, type Moment } from './faulty-files.ts'
import { MemoryDisk, type PowerCut } from './memory-disk.ts'

const vmcore = aVmcore({ pages: [0, 2], pageBytes: 4096 })
/** Two checkpoints within the transfer. */
const settings = { windowBytes: 8192 }

type End = 'process' | PowerCut

interface Death {
  readonly at: number
  readonly moment: Moment
  readonly end: End
}

/** Collects on a disk that dies at one operation; then another process goes on with what is left. */
async function collectWithDeath(kernel: FakeKernel, death?: Death): Promise<readonly string[]> {
  await using room = await openRoom()
  const earlier = kernel.requests.length
  const disk = new MemoryDisk()
  await disk.makeDirectory(dirname(room.root))
  const died = Promise.withResolvers<void>()
  const dying = dyingDisk(disk, {
    ...(death === undefined ? {} : { deathAt: death.at, moment: death.moment }),
    onDeath: () => died.resolve(),
  })
  const network: Fetch = (...request) =>
    dying.isDead ? Promise.reject(new Error('dead')) : fetch(...request)
  await room.announce(kernel.job)
  {
    await using first = new AsyncDisposableStack()
    const collecting = room.startCollector({ files: dying.files, settings, fetch: network })
    const collector = await collecting.catch(() => undefined)
    if (collector !== undefined) {
      first.use(collector)
      await Promise.race([died.promise, room.paused()])
    }
  }
  if (death === undefined) {
    assertStored(disk, room.root)
    return dying.operations
  }
  const left = death.end === 'process' ? disk : disk.afterPowerCut(death.end)
  assertNothingTorn(left, room.root)
  assertNothingVouchedForInVain(left, room.root)
  assertReleasedOnlyWhatIsStored(left, room.root, kernel.requests.slice(earlier))
  await using second = await room.startCollector({ files: left, settings })
  // In a composition without Redis the queue dies as well; the partition announces once more.
  await room.announce(kernel.job)
  await room.idle()
  assertStored(left, room.root)
  const dump = await second.client.getDump({ params: { dump: 'p1-1' } })
  assert.deepEqual([dump.status, dump.step, dump.released], ['complete', 'complete', true])
  return dying.operations
}

function assertStored(disk: MemoryDisk, root: string): void {
  assert.deepEqual(disk.names(`${root}/p1`), ['p1-1'])
  assertNothingTorn(disk, root)
}

/** A directory with the name of a dump holds a whole dump. */
function assertNothingTorn(disk: MemoryDisk, root: string): void {
  if (!disk.names(`${root}/p1`).includes('p1-1')) return
  const text = (file: string) =>
    new TextDecoder().decode(disk.content(`${root}/p1/p1-1/${file}`) ?? new Uint8Array())
  assert.deepEqual(disk.content(`${root}/p1/p1-1/vmcore`), wholeFile(vmcore))
  assert.equal(text('manifest.ndjson'), manifestOf(vmcore))
  assert.equal(dumpSchema.parse(JSON.parse(text('dump.json'))).status, 'complete')
  assert.equal((JSON.parse(text('manifest.json')) as { status: string }).status, 'complete')
}

/** What progress.json calls durable is in the file: nobody would ask for it again before verification. */
function assertNothingVouchedForInVain(disk: MemoryDisk, root: string): void {
  const directory = `${root}/p1/p1-1.incomplete`
  const text = disk.content(`${directory}/progress.json`)
  if (text === undefined) return
  const { durableOffset } = JSON.parse(new TextDecoder().decode(text)) as { durableOffset: number }
  const file = disk.content(`${directory}/vmcore`) ?? new Uint8Array()
  assert.deepEqual(file.subarray(0, durableOffset), wholeFile(vmcore).subarray(0, durableOffset))
}

function assertReleasedOnlyWhatIsStored(
  disk: MemoryDisk,
  root: string,
  requests: readonly string[],
): void {
  if (!requests.some((request) => request.startsWith('release'))) return
  assert.deepEqual(disk.names(`${root}/p1`), ['p1-1'])
}

suite('a collector that dies leaves no dump or a complete one, and another ends its work', () => {
  // Only operations after which the disk is another one: dying before one is dying after the one before, a process
  // leaves what it wrote, synced or not, and a power cut leaves what is synced.
  const deaths: readonly (readonly [string, RegExp, Omit<Death, 'at'>])[] = [
    ['the process ends right after it', /^(?!sync)/, { moment: 'after', end: 'process' }],
    ['the process ends in the middle of it', /^write/, { moment: 'halfway', end: 'process' }],
    ['the power fails right after it', /^(?!write|open)/, { moment: 'after', end: 'strict' }],
    [
      'the power fails right after it and bytes come later than names',
      /^(?!write)/,
      { moment: 'after', end: 'names-first' },
    ],
  ]
  for (const [what, changes, death] of deaths) {
    test(`at any change of the disk when ${what}`, async () => {
      await using kernel = await startFakeKernel(vmcore)
      const operations = await collectWithDeath(kernel)
      assert.ok(operations.length > 50, `only ${operations.length} operations`)
      for (const [at, operation] of operations.entries()) {
        if (!changes.test(operation)) continue
        try {
          await collectWithDeath(kernel, { at, ...death })
        } catch (cause) {
          throw new Error(`operation ${at}, ${operation}`, { cause })
        }
      }
    })
  }
})
