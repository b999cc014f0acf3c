/** Where a soak runs: on a machine room of its own, on a console that is there, or on containers that get lost. */
import { readFile } from 'node:fs/promises'
import { hmcRoutes, type newSoak, type Soak, type SoakReport } from '@fadump-lab/shared/contracts'
import { createClient, type Client } from '@fadump-lab/shared/http'
import { bearer } from '@fadump-lab/shared/identity'
import { systemClock, systemRandom } from '@fadump-lab/shared/runtime'
import type { z } from 'zod'
import { UsageError } from '../command.ts'
import { defaultTokenFile, findToken } from '../token-file.ts'
import { startComposeSoak, usualProject } from './containers/compose-soak.ts'
import { embeddedRoom } from './embedded-room.ts'
import { containerFaultsOf, type SoakOptions } from './options.ts'

/** A soak that has begun, wherever it runs. */
export interface SoakUnderWay extends AsyncDisposable {
  now(): Promise<Soak>
  /** Crashes under way are ended, no further one begins. */
  stop(): Promise<unknown>
  /** When it is over. */
  report(): Promise<SoakReport>
}

type Asked = z.input<typeof newSoak>

/** The console runs it: of a room of its own, or the one at `--url`. */
export async function soakOnConsole(options: SoakOptions, asked: Asked): Promise<SoakUnderWay> {
  await using stack = new AsyncDisposableStack()
  const { api } = stack.use(await openConsole(options))
  const { id } = await api.startSoak({ body: asked })
  const params = { soak: id }
  const kept = stack.move()
  return {
    now: () => api.getSoak({ params }),
    stop: () => api.stopSoak({ params }),
    report: () => api.getSoakReport({ params }),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

/** This process runs it, so that it outlives any container; `print` is told what is done to them. */
export async function soakOnCompose(
  options: SoakOptions,
  asked: Asked,
  print: (line: string) => void,
): Promise<SoakUnderWay> {
  const { soak, stop, report } = await startComposeSoak({
    project: options.project ?? usualProject,
    asked,
    containerFaults: containerFaultsOf(options['container-faults']),
    clock: systemClock,
    random: systemRandom(),
    onStrike: ({ label, fromMs }) => print(`${(fromMs / 1000).toFixed(1)} s: ${label}`),
  })
  // Told when it is asked for.
  report.catch(() => undefined)
  return {
    now: () => Promise.resolve(soak()),
    stop: () => Promise.resolve(stop()),
    report: () => report,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

async function openConsole(
  options: SoakOptions,
): Promise<AsyncDisposable & { readonly api: Client<typeof hmcRoutes> }> {
  if (options.url === undefined) return embeddedRoom()
  const path = options['token-file'] ?? defaultTokenFile
  const token = await (options['token-file'] === undefined ? findToken(path) : readToken(path))
  const api = createClient(hmcRoutes, {
    baseUrl: options.url.replace(/\/+(?:v1\/?)?$/, ''),
    ...(token === undefined ? {} : { authorize: bearer(token) }),
  })
  return { api, [Symbol.asyncDispose]: () => Promise.resolve() }
}

async function readToken(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim()
  } catch (cause) {
    throw new UsageError(`the token file ${path} cannot be read`, { cause })
  }
}
