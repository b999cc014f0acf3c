/** `./lab demo`: three machines crash in one process; their vmcores stay. Needs Node only. */
import { mkdir, rename, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { hmcRoutes, type Dump } from '@fadump-lab/shared/contracts'
import { createClient } from '@fadump-lab/shared/http'
import { bearer } from '@fadump-lab/shared/identity'
import { createHeapEventLog, createInProcessQueues } from '@fadump-lab/shared/queue'
import { systemClock, systemRandom } from '@fadump-lab/shared/runtime'
import { createHeapMemoryStore } from '@fadump-lab/shared/store'
import { Listr, type DefaultRenderer, type ListrTaskWrapper, type SimpleRenderer } from 'listr2'
import { crashOne, type Console } from './demo/crash-one.ts'
import { countCpuNotes } from './demo/read-back.ts'
import { resultJson, resultTable, verdict, type DemoResult } from './demo/report.ts'
import { demoSystems, type DemoSystem } from './demo/systems.ts'
import { startMachineRoom } from './machine-room.ts'

export interface DemoOptions {
  /** Directory for `<partition>/vmcore` and `<partition>/manifest.json`. */
  readonly out: string
  readonly json: boolean
}

type Task = Pick<ListrTaskWrapper<unknown, typeof DefaultRenderer, typeof SimpleRenderer>, 'output'>

/** Answers with the exit code. */
export async function demo(options: DemoOptions): Promise<number> {
  const out = resolve(options.out)
  const results: DemoResult[] = []
  await runDemo(out, options.json ? 'silent' : 'shown', results)
  if (options.json) process.stdout.write(`${resultJson(results)}\n`)
  else {
    process.stdout.write(`${resultTable(results)}\n`)
    process.stdout.write(
      `The vmcores are ELF files: try  readelf -hln ${join(options.out, 'p6-4g', 'vmcore')}\n`,
    )
    process.stdout.write(`${verdict(results)}\n`)
  }
  return verdict(results) === 'ok' ? 0 : 1
}

async function runDemo(
  out: string,
  progress: 'shown' | 'silent',
  results: DemoResult[],
): Promise<void> {
  const dumpRoot = join(out, '.store')
  await rm(dumpRoot, { recursive: true, force: true })
  await using store = createHeapMemoryStore()
  await using queues = createInProcessQueues({ clock: systemClock })
  await using events = createHeapEventLog()
  await using room = await startMachineRoom({
    store,
    queues,
    events,
    clock: systemClock,
    random: systemRandom(),
    dumpRoot,
    logLevel: 'error',
    port: 0,
  })
  const api = createClient(hmcRoutes, {
    baseUrl: room.urls.console,
    authorize: bearer(room.tokenFor('operator')),
  })
  const run = async (system: DemoSystem, tell: (step: string) => void): Promise<void> => {
    const result = await crashAndKeep({ api, system, out, dumpRoot }, tell)
    results.push(result)
    if (result.failure !== undefined) throw new Error(result.failure)
  }
  await showProgress(progress, run)
  await rm(dumpRoot, { recursive: true, force: true })
  results.sort((a, b) => demoSystems.indexOf(a.system) - demoSystems.indexOf(b.system))
}

/** Live lines on a terminal, plain lines elsewhere, nothing with --json. All systems are run, whatever fails. */
async function showProgress(
  progress: 'shown' | 'silent',
  run: (system: DemoSystem, tell: (step: string) => void) => Promise<void>,
): Promise<void> {
  const plain = !process.stdout.isTTY
  const tasks = new Listr(
    demoSystems.map((system) => ({
      title: `${system.id.padEnd(6)} ${system.title}, ${system.crash}`,
      task: (_context: unknown, task: Task) =>
        run(
          system,
          changes((step) => (task.output = plain ? `${system.id}: ${step}` : step)),
        ),
    })),
    {
      concurrent: true,
      exitOnError: false,
      ...(progress === 'silent' ? { renderer: 'silent' as const } : {}),
      fallbackRenderer: 'simple',
      registerSignalListeners: false,
    },
  )
  await tasks.run()
}

/** Passes a step on when it is another than the last. */
function changes(tell: (step: string) => void): (step: string) => void {
  let last = ''
  return (step) => {
    if (step !== last) tell(step)
    last = step
  }
}

interface Place {
  readonly api: Console
  readonly system: DemoSystem
  readonly out: string
  readonly dumpRoot: string
}

async function crashAndKeep(place: Place, tell: (step: string) => void): Promise<DemoResult> {
  const { api, system } = place
  const started = performance.now()
  const elapsed = () => (performance.now() - started) / 1000
  try {
    const dump = await crashOne(api, system, tell)
    const seconds = elapsed()
    const file = await keep(place, dump)
    return { system, dump, seconds, file, notes: await countCpuNotes(file) }
  } catch (error) {
    const failure = error instanceof Error ? error.message : String(error)
    return { system, seconds: elapsed(), failure }
  }
}

/** Moves the stored files to where a person looks for them. */
async function keep({ system, out, dumpRoot }: Place, dump: Dump): Promise<string> {
  const stored = join(dumpRoot, system.id, dump.id)
  const kept = join(out, system.id)
  await mkdir(kept, { recursive: true })
  for (const name of ['vmcore', 'manifest.json']) await rename(join(stored, name), join(kept, name))
  return join(kept, 'vmcore')
}
