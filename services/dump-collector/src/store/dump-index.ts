/**
 * The dumps of the store. The directory tree is the index, so collectors that share a root see each other's dumps;
 * dumps that this process collects are shown as they are in memory.
 */
import { join } from 'node:path'
import type { Dump } from '@fadump-lab/shared/contracts'
import { readDump } from './dump-file.ts'
import { isPinned } from './pins.ts'
import type { Files } from './files.ts'
import { fileIn, parsePlace, placeOf, type DumpName, type Place } from './layout.ts'

export interface StoredDump {
  readonly place: Place
  readonly dump: Dump
}

/** A dump that this process collects at present. */
export interface LiveDump {
  readonly place: Place
  readonly dump: Dump
}

export class DumpIndex {
  readonly #root: string
  readonly #files: Files
  readonly #live = new Map<string, LiveDump>()
  /** What was last read of each directory, with the version of its dump.json. */
  readonly #read = new Map<string, { readonly version: string; readonly stored: StoredDump }>()
  /** Where each known dump id belongs. */
  readonly #partitions = new Map<string, string>()

  constructor(root: string, files: Files) {
    this.#root = root
    this.#files = files
  }

  /** Shows `capture` instead of what is on disk, until disposed. */
  show(capture: LiveDump): Disposable {
    const { id } = capture.dump
    this.#live.set(id, capture)
    return {
      [Symbol.dispose]: () => {
        if (this.#live.get(id) === capture) this.#live.delete(id)
      },
    }
  }

  isLive(dump: string): boolean {
    return this.#live.has(dump)
  }

  /** Newest first. */
  async list(partition?: string): Promise<readonly StoredDump[]> {
    const stored: StoredDump[] = []
    for (const name of partition === undefined ? await this.#partitionNames() : [partition]) {
      for (const dump of await this.#dumpNames(name)) {
        const found = await this.#lookUp({ partition: name, dump })
        if (found !== undefined) stored.push(found)
      }
    }
    return stored.toSorted(newestFirst)
  }

  async find(dump: string): Promise<StoredDump | undefined> {
    const partition = this.#partitions.get(dump)
    const known = partition === undefined ? undefined : await this.#lookUp({ partition, dump })
    if (known !== undefined) return known
    // A dump's id begins with its partition's (contracts/ids.ts), so only a few directories can hold it.
    const names = (await this.#partitionNames()).filter((name) => dump.startsWith(`${name}-`))
    for (const name of names) {
      const found = await this.#lookUp({ partition: name, dump })
      if (found !== undefined) return found
    }
    return undefined
  }

  /** Directories of the store by partition and name, the collector's own and others. */
  async #partitionNames(): Promise<readonly string[]> {
    const entries = await this.#files.list(this.#root)
    return entries.filter(({ kind }) => kind === 'directory').map(({ name }) => name)
  }

  async #dumpNames(partition: string): Promise<readonly string[]> {
    const names = new Set<string>()
    for (const { name, kind } of await this.#files.list(join(this.#root, partition))) {
      const place = kind === 'directory' ? parsePlace(this.#root, partition, name) : undefined
      if (place !== undefined && place.kind !== 'deleted') names.add(place.dump)
    }
    return [...names]
  }

  async #lookUp(name: DumpName): Promise<StoredDump | undefined> {
    const live = this.#live.get(name.dump)
    const stored =
      live?.place.partition === name.partition
        ? await this.#unlessPublished(name, live)
        : await this.#readEither(name)
    const shown = stored === undefined ? undefined : await this.#withPin(stored)
    if (stored === undefined) this.#partitions.delete(name.dump)
    else this.#partitions.set(name.dump, name.partition)
    return shown
  }

  /**
   * A collector that was away for longer than its lease does not know yet that another one has ended its work: the
   * name without `.incomplete` does.
   */
  async #unlessPublished(name: DumpName, { place, dump }: LiveDump): Promise<StoredDump> {
    const published = place.kind === 'final' ? undefined : await this.#readPlace(name, 'final')
    return published ?? { place, dump }
  }

  async #withPin({ place, dump }: StoredDump): Promise<StoredDump> {
    return { place, dump: { ...dump, pinned: await isPinned(this.#files, place) } }
  }

  /** Another collector may publish the dump between the two looks; the third one then finds it. */
  async #readEither(name: DumpName): Promise<StoredDump | undefined> {
    return (
      (await this.#readPlace(name, 'final')) ??
      (await this.#readPlace(name, 'incomplete')) ??
      (await this.#readPlace(name, 'final'))
    )
  }

  async #readPlace(name: DumpName, kind: 'final' | 'incomplete'): Promise<StoredDump | undefined> {
    if (parsePlace(this.#root, name.partition, name.dump) === undefined) return undefined
    const place = placeOf(this.#root, name, kind)
    const facts = await this.#files.facts(fileIn(place, 'dump'))
    if (facts === undefined) {
      this.#read.delete(place.directory)
      return undefined
    }
    const before = this.#read.get(place.directory)
    if (before?.version === facts.version) return before.stored
    const dump = await readDump(this.#files, place)
    if (dump?.id !== name.dump || dump.partition !== name.partition) return undefined
    const stored = { place, dump }
    this.#read.set(place.directory, { version: facts.version, stored })
    return stored
  }
}

function newestFirst(a: StoredDump, b: StoredDump): number {
  if (a.dump.startedAt !== b.dump.startedAt) return a.dump.startedAt < b.dump.startedAt ? 1 : -1
  return a.dump.id < b.dump.id ? 1 : -1
}
