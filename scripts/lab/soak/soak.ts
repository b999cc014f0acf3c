/** `./lab soak`: starts a soak on a machine room, shows how far it is, and says in the end what it came to. */
import type { Soak, SoakReport } from '@fadump-lab/shared/contracts'
import { exitCodes, systemClock } from '@fadump-lab/shared/runtime'
import { UsageError } from '../command.ts'
import { soakOnCompose, soakOnConsole, type SoakUnderWay } from './places.ts'
import { writeReport } from './report/write.ts'
import { askedSoak, type SoakOptions } from './options.ts'
import { noProgress, progressOn } from './progress.ts'
import { summary } from './summary.ts'

const pollMs = 500

/** Answers with the exit code: 0 when it passed. */
export async function soak(options: SoakOptions, print: (line: string) => void): Promise<number> {
  const asked = askedSoak(options)
  if (options.compose && options.url !== undefined) {
    throw new UsageError('--compose and --url exclude each other: give one of them')
  }
  const report = await carryOut(options, asked, print)
  const written = options.out === undefined ? [] : await writeReport(options.out, report)
  if (options.json) print(JSON.stringify(report))
  else for (const line of [...summary(report), ...written]) print(line)
  return exitCodeOf(report)
}

async function carryOut(
  options: SoakOptions,
  asked: Parameters<typeof soakOnConsole>[1],
  print: (line: string) => void,
): Promise<SoakReport> {
  using progress = options.json
    ? noProgress
    : progressOn({ print, stream: process.stdout, now: () => systemClock.now() })
  const start = options.compose ? soakOnCompose : soakOnConsole
  await using underWay = await start(options, asked, (line) => progress.say(line))
  using _interrupt = onInterrupt(() => underWay.stop())
  await follow(underWay, (soak) => progress.show(soak))
  return await underWay.report()
}

async function follow(underWay: SoakUnderWay, show: (soak: Soak) => void): Promise<void> {
  for (;;) {
    const now = await underWay.now()
    show(now)
    if (now.completedAt !== undefined) return
    await systemClock.sleep(pollMs)
  }
}

/** The first Ctrl-C stops the soak and waits for its report; the second ends the command. */
function onInterrupt(stop: () => Promise<unknown>): Disposable {
  const stopOnce = (): void => void stop().catch(() => undefined)
  process.once('SIGINT', stopOnce)
  process.once('SIGTERM', stopOnce)
  return {
    [Symbol.dispose]: () => {
      process.removeListener('SIGINT', stopOnce)
      process.removeListener('SIGTERM', stopOnce)
    },
  }
}

function exitCodeOf({ verdict }: SoakReport): number {
  return verdict === 'passed' ? exitCodes.ok.code : 1
}
