/** Processes that are really killed, and the way of a request to their keeper and back. */
import assert from 'node:assert/strict'
import { mkdtempDisposable, writeFile } from 'node:fs/promises'
import { once } from 'node:events'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { createCaptureProcess } from './client.ts'
import type { CaptureOutcome, CaptureWork } from './port.ts'
import { runChild } from './run-child.ts'
import { serveCaptures } from './serve.ts'
import { socketPath } from './socket-path.ts'

const MiB = 2 ** 20
const work: CaptureWork = {
  limitMiB: 256,
  reserveBytes: 4 * MiB,
  steps: [
    { phase: 'udev', consumer: 'udev workers', bytes: 10 * MiB },
    { phase: 'link up', consumer: 'receive rings', bytes: 112 * MiB },
  ],
}
const survived: CaptureOutcome = { end: 'survived', ownBytes: 1, peakBytes: 2 }

function temporary() {
  return mkdtempDisposable(join(tmpdir(), 'capture-'))
}

/** How a process of this program ended; `kills` is the counter of the OOM killer before it and after. */
async function run(
  program: string,
  kills: readonly (number | undefined)[],
): Promise<CaptureOutcome> {
  await using directory = await temporary()
  const path = join(directory.path, 'child.mjs')
  await writeFile(path, program)
  const counts = [...kills]
  const { signal } = new AbortController()
  return await runChild(work, { oomKills: () => counts.shift() }, { signal, path })
}

const says = (text: string) => `require('node:fs').writeSync(1, ${JSON.stringify(text)});`
const program = (text: string, end: string) =>
  `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url); ${says(text)} ${end}`
const killsItself = "process.kill(process.pid, 'SIGKILL')"

suite('a capture process', () => {
  test('killed by the OOM killer, it has said in which phase and for whom it allocated', async () => {
    const outcome = await run(program('-1 50\n0 60\n1 170\n', killsItself), [3, 4])
    assert.deepEqual(outcome, {
      end: 'killed',
      ownBytes: 50,
      usedBytes: 170,
      phase: 'link up',
      consumer: 'receive rings',
    })
  })

  test('killed by somebody else, or failed, it is no measurement', async () => {
    await assert.rejects(
      run(program('-1 50\n0 60\n', killsItself), [3, 3]),
      /SIGKILL after 2 reports, and not by the OOM killer/,
    )
    await assert.rejects(run('throw new Error("defect")', [3, 3]), /exit code 1 after 0 reports/)
    await assert.rejects(run(killsItself, [3, 4]), /after 0 reports/)
  })

  test('at the end of its work, it has said how much it used at most', async () => {
    const outcome = await run(program('-1 50\n0 60\n1 90\n2 80\n', ''), [3, 3])
    assert.deepEqual(outcome, { end: 'survived', ownBytes: 50, peakBytes: 90 })
  })
})

suite('the keeper of capture processes', () => {
  const group = { limitBytes: 256 * MiB }
  const silent = { warn: () => assert.fail('nothing to warn of') }

  test('is asked by the limit, and runs one process at a time', async () => {
    await using directory = await temporary()
    let running = 0
    const seen: CaptureWork[] = []
    await using _keeper = await serveCaptures(directory.path, {
      group,
      complain: (error) => assert.fail(String(error)),
      run: async (asked) => {
        running += 1
        assert.equal(running, 1)
        seen.push(asked)
        await once(process.stdout, 'never', { signal: AbortSignal.timeout(20) }).catch(() => {})
        running -= 1
        return survived
      },
    })
    const asked = createCaptureProcess(directory.path, silent)
    assert.deepEqual(await Promise.all([asked.run(work), asked.run(work)]), [survived, survived])
    assert.deepEqual(seen, [work, work])
    assert.equal(await asked.run({ ...work, limitMiB: 320 }), undefined)
  })

  test('answers nothing when a process was no measurement or the request is none, and goes on', async () => {
    await using directory = await temporary()
    const complaints: string[] = []
    const warned: unknown[] = []
    let fails = true
    await using _keeper = await serveCaptures(directory.path, {
      group,
      complain: (error) => complaints.push(String(error)),
      run: async () => (fails ? Promise.reject(new Error('killed by somebody')) : survived),
    })
    const asked = createCaptureProcess(directory.path, {
      warn: (about: unknown) => warned.push(about),
    })
    assert.equal(await asked.run(work), undefined)
    assert.equal(await asked.run({ ...work, reserveBytes: -1 }), undefined)
    assert.match(complaints.join(), /killed by somebody.*reserveBytes/s)
    assert.equal(warned.length, 2)
    fails = false
    assert.deepEqual(await asked.run(work), survived)
  })

  test('takes the place of one that was killed, whose socket nobody answers', async () => {
    await using directory = await temporary()
    const path = socketPath(directory.path, 256)
    await writeFile(path, '')
    let warnings = 0
    const asked = createCaptureProcess(directory.path, { warn: () => (warnings += 1) })
    assert.equal(await asked.run(work), undefined)
    assert.equal(warnings, 1)
    await using _keeper = await serveCaptures(directory.path, {
      group,
      complain: (error) => assert.fail(String(error)),
      run: async () => survived,
    })
    assert.deepEqual(await asked.run(work), survived)
  })

  test('ends its process when the kernel host is gone', async () => {
    await using directory = await temporary()
    const asked = Promise.withResolvers<void>()
    const gone = Promise.withResolvers<void>()
    await using keeper = await serveCaptures(directory.path, {
      group,
      complain: () => undefined,
      run: async (_work, signal) => {
        asked.resolve()
        await once(signal, 'abort')
        gone.resolve()
        return survived
      },
    })
    const socket = connect(keeper.path)
    socket.write(`${JSON.stringify(work)}\n`)
    await asked.promise
    socket.destroy()
    await gone.promise
  })
})
