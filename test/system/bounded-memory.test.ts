/**
 * What kernel host and collector hold at their peak does not depend on the size of the partition, nor on how much of it is
 * populated; and a vmcore takes on disk what was populated. The services are processes of their own on a real Redis,
 * so that the kernel of this machine can say what each of them used.
 */
import assert from 'node:assert/strict'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { after, before, suite, type TestContext } from 'node:test'
import type { Dump } from '@fadump-lab/shared/contracts'
import { startProcessRoom, type ProcessRoom, type ServiceName } from '../support/processes.ts'
import { without } from '../support/tools.ts'
import { checkContent, Vmcore } from '../support/vmcore.ts'

const MiB = 2 ** 20
const TiB = 2 ** 40
const peakAboveIdleMax = 150 * MiB
const measured = ['lpar-kernel', 'dump-collector'] as const satisfies readonly ServiceName[]

/** A line of /proc/<pid>/status, in bytes. */
async function statusBytes(pid: number, field: 'VmRSS' | 'VmHWM'): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  const kibibytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]
  assert.ok(kibibytes !== undefined, `${field} is in the status`)
  return Number(kibibytes) * 1024
}

/** Makes the peak (VmHWM) begin anew at what is resident now (proc(5)). */
async function forgetPeak(pid: number): Promise<void> {
  await writeFile(`/proc/${pid}/clear_refs`, '5')
}

suite('memory is bounded', { skip: without('redis-server') }, () => {
  const state: { room?: ProcessRoom } = {}
  const idle = new Map<ServiceName, number>()
  const room = (): ProcessRoom => {
    assert.ok(state.room !== undefined, 'the room is up')
    return state.room
  }
  // Idle is a service that has done its work once: compiled code and a grown heap have nothing to do with sizes.
  before(async () => {
    state.room = await startProcessRoom()
    await room().api.boot({ id: 'warm', memoryBytes: 1024 * MiB, processors: 2 })
    await room().api.crash('warm')
    for (const name of measured) {
      const pid = room().pid(name)
      await forgetPeak(pid)
      idle.set(name, await statusBytes(pid, 'VmRSS'))
    }
  })
  after(() => state.room?.[Symbol.asyncDispose]())

  const fileOf = ({ partition, id }: Dump) => join(room().dumpRoot, partition, id, 'vmcore')

  async function assertPeaks(t: TestContext): Promise<void> {
    for (const name of measured) {
      const above = (await statusBytes(room().pid(name), 'VmHWM')) - (idle.get(name) ?? 0)
      const text = `${name} rose by ${Math.round(above / MiB)} MiB`
      t.diagnostic(text)
      assert.ok(above < peakAboveIdleMax, text)
    }
  }

  /** 1 % and 1 MiB for the file system's own blocks. */
  async function assertDisk(dump: Dump, core: Vmcore): Promise<void> {
    const populated = (await core.populated()).reduce((sum, { size }) => sum + Number(size), 0)
    const { blocks } = await stat(fileOf(dump))
    const text = `${blocks * 512} bytes on disk for ${populated} populated`
    assert.ok(blocks * 512 >= populated && blocks * 512 <= populated * 1.01 + MiB, text)
  }

  test('C072 C155 1 TiB and 896 CPUs: every CPU has its note, the size is that of the headers and the loads', async (t) => {
    await room().api.boot({ id: 'p7-1t', memoryBytes: TiB, processors: 896 })
    const dump = await room().api.crash('p7-1t')
    await using core = await Vmcore.open(fileOf(dump))
    assert.equal((await core.cpus()).length, 896)
    const [note, ...loads] = core.segments
    assert.ok(note !== undefined)
    const headers = 64 + 56 * core.segments.length
    const vmcoreinfo = (await core.vmcoreinfo()) ?? ''
    assert.equal(note.offset, headers)
    assert.equal(Number(note.size), 896 * 524 + 24 + Math.ceil(vmcoreinfo.length / 4) * 4)
    assert.equal(loads[0]?.size, 0xcc_0000_000n)
    const memory = loads.reduce((sum, { size }) => sum + size, 0n)
    const { size } = await stat(fileOf(dump))
    assert.equal(BigInt(size), BigInt(headers) + note.size + memory)
    assert.ok(memory < TiB && memory > 0.94 * TiB, `${memory} bytes are in PT_LOADs`)
    await assertDisk(dump, core)
    await assertPeaks(t)
  })

  test('192 MiB of content, more than may be held, go through windows', async (t) => {
    const seed = 5
    const populatedBytes = 192 * MiB
    await room().api.boot({
      id: 'full',
      memoryBytes: 1024 * MiB,
      processors: 2,
      content: { seed, populatedBytes },
    })
    const dump = await room().api.crash('full')
    await using core = await Vmcore.open(fileOf(dump))
    assert.equal(await checkContent(core, seed), populatedBytes / 65_536)
    await assertDisk(dump, core)
    await assertPeaks(t)
  })
})
