/** Five minutes of what thousand-crashes.ts does for longer: partitions crash while their room loses containers. */
import assert from 'node:assert/strict'
import { mkdtempDisposable, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { suite } from 'node:test'
import { soakReport } from '@fadump-lab/shared/contracts'
import { commands } from '../../../scripts/lab/commands.ts'
import { dispatch } from '../../../scripts/lab/dispatch.ts'
import { startContainerRoom } from '../../support/containers.ts'
import { without } from '../../support/tools.ts'

const timeout = 900_000
const defaultSeed = '1'
/** Real ends of real processes, with exit code 70, beside what happens to whole containers. */
const faults = [
  'process-abort@store.commit/hypervisor',
  'process-abort@queue.begin/lpar-kernel',
  'process-abort@events.append:stored/dump-collector',
  'bit-flip@readVmcore',
]
const options = {
  '--partitions': '12',
  '--seconds': '300',
  '--concurrency': '12',
  '--faults': faults.join(','),
  '--seed': process.env['PROPERTY_SEED'] ?? defaultSeed,
}

/** Written while the test runs: the runner takes a file that says nothing for one that hangs. */
const print = (line: string): void => void process.stdout.write(`${line}\n`)

suite(
  'containers are killed, paused and cut off while partitions crash',
  { skip: without('docker'), timeout },
  () => {
    test(
      'every crash comes to what it should, and the stores are as before',
      {
        timeout,
      },
      async (t) => {
        await using room = await startContainerRoom({
          faults: true,
          scale: { 'lpar-kernel': 2, 'dump-collector': 2 },
        })
        await using out = await mkdtempDisposable(join(tmpdir(), 'compose-soak-'))
        const words = ['soak', ...Object.entries(options).flat(), '--out', out.path]
        const exitCode = await dispatch([...words, '--compose', room.project], {
          commands,
          out: print,
          error: print,
        })
        const report = soakReport.parse(
          JSON.parse(await readFile(join(out.path, 'report.json'), 'utf8')),
        )
        t.diagnostic(
          `${report.crashes.length} crashes in ${report.crashingSeconds} s, ` +
            report.faults.map(({ name, struck }) => `${struck} times ${name}`).join(', '),
        )
        if (report.verdict !== 'passed') t.diagnostic((await room.logs()).slice(-8000))
        assert.deepEqual(report.reasons, [], report.replay)
        assert.equal(report.verdict, 'passed')
        assert.equal(exitCode, 0)
        assert.ok(report.crashes.length >= 12)
      },
    )
  },
)
