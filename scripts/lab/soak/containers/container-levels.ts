/** What containers take, as the engine counts it, and what their stores hold before and after a soak. */
import { thin, type Levels } from '@fadump-lab/hmc-api'
import {
  soakSamplesMax,
  type SoakBaseLevel,
  type SoakMemorySample,
} from '@fadump-lab/shared/contracts'
import type { Clock } from '@fadump-lab/shared/runtime'
import { leftOver, levelOf, type Level } from './base-level.ts'
import { bytesOf } from './docker-words.ts'
import type { Container, Engine } from './engine.ts'
import { allHealthy } from './schedule.ts'

const sampleMs = 5_000
const detailMax = 1024

const stores = {
  memoryKeys: { what: 'redis-memory', unit: 'keys' },
  controlKeys: { what: 'redis-control', unit: 'keys' },
  files: { what: 'dump store', unit: 'files and directories' },
} as const satisfies Readonly<Record<keyof Level, Pick<SoakBaseLevel, 'what' | 'unit'>>>
const storeNames = Object.keys(stores) as (keyof Level)[]

export class ContainerLevels implements Levels {
  readonly samples: SoakMemorySample[] = []
  readonly #engine: Engine
  readonly #clock: Clock
  /** A power failure takes keys along that were there before. */
  readonly #mayLoseMemory: boolean
  #before: Level = { memoryKeys: [], controlKeys: [], files: [] }
  #pauseMs = sampleMs

  constructor(engine: Engine, clock: Clock, mayLoseMemory: boolean) {
    this.#engine = engine
    this.#clock = clock
    this.#mayLoseMemory = mayLoseMemory
  }

  async begin(): Promise<void> {
    this.#before = await levelOf(this.#engine)
  }

  async watch(elapsed: () => number, signal: AbortSignal): Promise<void> {
    const containers = await this.#engine.containers()
    while (!signal.aborted) {
      await this.#sample(containers, elapsed())
      if (this.samples.length > soakSamplesMax / 2) {
        thin(this.samples)
        this.#pauseMs *= 2
      }
      await this.#clock.sleep(this.#pauseMs, signal).catch(() => undefined)
    }
  }

  async compare(kept: number): Promise<SoakBaseLevel[]> {
    await allHealthy(this.#engine, this.#clock)
    const passOver = (name: keyof Level, row: string) =>
      row.startsWith('-')
        ? name === 'memoryKeys' && this.#mayLoseMemory
        : name === 'files' && kept > 0
    const left = await leftOver(this.#engine, this.#before, { clock: this.#clock, passOver })
    return [...storeNames.map((name) => this.#row(name, left?.[name])), ...(await this.#killed())]
  }

  #row(name: keyof Level, left: readonly string[] | undefined): SoakBaseLevel {
    const before = this.#before[name].length
    const more = left?.filter((each) => each.startsWith('+')).length ?? 0
    const fewer = left?.filter((each) => each.startsWith('-')).length ?? 0
    return {
      ...stores[name],
      before,
      after: before + more - fewer,
      allowed: before,
      passed: left === undefined,
      ...(left === undefined ? {} : { detail: left.join(', ').slice(0, detailMax) }),
    }
  }

  /** Containers that their memory limit has killed. */
  async #killed(): Promise<SoakBaseLevel[]> {
    const rows: SoakBaseLevel[] = []
    for (const container of await this.#engine.containers()) {
      const { isOutOfMemory } = await this.#engine.state(container)
      const after = Number(isOutOfMemory)
      const what = `${container.service}-${container.instance}`
      rows.push({ what, unit: 'out of memory', before: 0, after, allowed: 0, passed: after === 0 })
    }
    return rows
  }

  /** One that is down at the moment takes nothing. */
  async #sample(containers: readonly Container[], atMs: number): Promise<void> {
    const names = containers.map(({ name }) => name)
    const format = '{{.Name}}\t{{.MemUsage}}'
    const text = await this.#engine
      .docker('stats', '--no-stream', '--format', format, ...names)
      .catch(() => '')
    for (const line of text.split('\n')) {
      const [name, usage = ''] = line.split('\t')
      const found = containers.find((each) => each.name === name)
      const residentBytes = bytesOf(usage)
      if (found === undefined || residentBytes === undefined) continue
      this.samples.push({ atMs, service: `${found.service}-${found.instance}`, residentBytes })
    }
  }
}
