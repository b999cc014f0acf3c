/**
 * A disk in memory that forgets, when its power is cut, what was not synced: bytes that were written, and names that were
 * made, renamed or removed. It fills up, and it fails, when told to.
 */
import type { DirectoryEntry, Files, OpenFile, OpenMode } from '@fadump-lab/dump-collector'
import type { Random } from '@fadump-lab/shared/runtime'
import { Content } from './disk-content.ts'

/** One file: what was written, and what of it a power cut leaves. */
export class DiskFile {
  readonly kind = 'file'
  readonly number: number
  content = new Content()
  durable = new Content()
  changes = 0
  constructor(number: number) {
    this.number = number
  }
}

export class DiskDirectory {
  readonly kind = 'directory'
  names = new Map<string, DiskNode>()
  durableNames = new Map<string, DiskNode>()
}

export type DiskNode = DiskFile | DiskDirectory

type Failure = 'EIO' | 'ENOSPC'

/** More than any run writes. */
const capacityDefault = 2 ** 40

export class Disk {
  root = new DiskDirectory()
  capacityBytes = capacityDefault
  /** Operations that fail from now on, each so many times. */
  readonly failures = new Map<'write' | 'read' | 'rename', number>()
  #files = 0

  get usedBytes(): number {
    return usedBy(this.root)
  }

  erase(): void {
    this.root = new DiskDirectory()
  }

  /** From now on so many more bytes fit. */
  limit(leftBytes: number): void {
    this.capacityBytes = this.usedBytes + leftBytes
  }

  unlimit(): void {
    this.capacityBytes = capacityDefault
  }

  /** What is there after the power was off: unsynced names and bytes are kept or lost, one by one. */
  powerCut(random: Random): void {
    forget(this.root, random)
  }

  /** The node at `path`; on the disk as a power cut would leave it when `durable`. */
  find(path: string, durable = false): DiskNode | undefined {
    let node: DiskNode | undefined = this.root
    for (const name of partsOf(path)) {
      if (node?.kind !== 'directory') return undefined
      node = (durable ? node.durableNames : node.names).get(name)
    }
    return node
  }

  readonly files: Files = {
    open: async (path, mode) => this.#open(path, mode),
    makeDirectory: async (path) => this.#makeDirectory(path),
    syncDirectory: async (path) => {
      const directory = this.#directory(path)
      directory.durableNames = new Map(directory.names)
    },
    rename: async (from, to) => this.#rename(from, to),
    remove: async (path) => {
      this.#find(parentOf(path))?.delete(nameOf(path))
    },
    removeIfEmpty: async (path) => {
      const found = this.find(path)
      if (found?.kind !== 'directory' || found.names.size > 0) return
      this.#find(parentOf(path))?.delete(nameOf(path))
    },
    list: async (path) => {
      const found = this.find(path)
      if (found?.kind !== 'directory') return []
      return [...found.names].map(([name, { kind }]): DirectoryEntry => ({ name, kind }))
    },
    facts: async (path) => {
      const found = this.find(path)
      if (found?.kind !== 'file') return undefined
      const { content, number, changes } = found
      return {
        sizeBytes: content.size,
        storedBytes: content.storedBytes,
        version: `${number}-${changes}-${content.size}`,
      }
    },
    freeBytes: async () => Math.max(0, this.capacityBytes - this.usedBytes),
  }

  #open(path: string, mode: OpenMode): OpenFile {
    const file = this.#fileFor(path, mode)
    return {
      write: async (parts, position) => {
        this.#mayFail('write')
        const length = parts.reduce((sum, part) => sum + part.byteLength, 0)
        if (this.usedBytes + file.content.growth(position, length) > this.capacityBytes) {
          throw diskError('ENOSPC', 'no space left on device')
        }
        let at = position
        for (const part of parts) {
          file.content.write(part, at)
          at += part.byteLength
        }
        file.changes += 1
      },
      read: async (target, position) => {
        this.#mayFail('read')
        return file.content.read(target, position)
      },
      resize: async (size) => {
        file.content.resize(size)
        file.changes += 1
      },
      sync: async () => {
        file.durable = file.content.snapshot()
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }
  }

  #fileFor(path: string, mode: OpenMode): DiskFile {
    const names = this.#directory(parentOf(path)).names
    const found = names.get(nameOf(path))
    if (found?.kind === 'directory') throw diskError('EISDIR', `${path} is a directory`)
    if (found === undefined && mode === 'read') throw absent(path)
    const file = found ?? new DiskFile(++this.#files)
    if (found === undefined) names.set(nameOf(path), file)
    if (mode === 'replace') {
      file.content.resize(0)
      file.changes += 1
    }
    return file
  }

  #makeDirectory(path: string): void {
    let directory = this.root
    for (const name of partsOf(path)) {
      const found = directory.names.get(name)
      if (found?.kind === 'file') throw diskError('ENOTDIR', `${path}: ${name} is a file`)
      const next = found ?? new DiskDirectory()
      directory.names.set(name, next)
      directory.durableNames.set(name, next)
      directory = next
    }
  }

  #rename(from: string, to: string): void {
    this.#mayFail('rename')
    const source = this.#directory(parentOf(from))
    const target = this.#directory(parentOf(to))
    const moved = source.names.get(nameOf(from))
    if (moved === undefined) throw absent(from)
    const replaced = target.names.get(nameOf(to))
    if (replaced?.kind === 'directory' && replaced.names.size > 0) {
      throw diskError('ENOTEMPTY', `${to} is not empty`)
    }
    source.names.delete(nameOf(from))
    target.names.set(nameOf(to), moved)
  }

  #directory(path: string): DiskDirectory {
    const found = this.find(path)
    if (found?.kind !== 'directory') throw absent(path)
    return found
  }

  #find(path: string): Map<string, DiskNode> | undefined {
    const found = this.find(path)
    return found?.kind === 'directory' ? found.names : undefined
  }

  #mayFail(operation: 'write' | 'read' | 'rename'): void {
    const left = this.failures.get(operation) ?? 0
    if (left === 0) return
    this.failures.set(operation, left - 1)
    throw diskError('EIO', 'input/output error')
  }
}

/** Every name that differs between now and the last sync is on the disk or not, and so is every write since then. */
function forget(directory: DiskDirectory, random: Random): void {
  const { names, durableNames } = directory
  const left = new Map<string, DiskNode>()
  for (const name of new Set([...durableNames.keys(), ...names.keys()])) {
    const before = durableNames.get(name)
    const now = names.get(name)
    const kept = before === now || random.int(2) === 0 ? before : now
    if (kept !== undefined) left.set(name, kept)
  }
  directory.names = left
  directory.durableNames = new Map(left)
  for (const node of left.values()) {
    if (node.kind === 'directory') {
      forget(node, random)
      continue
    }
    node.content = node.durable.mixedWith(node.content, () => random.int(2) === 0)
    node.durable = node.content.snapshot()
    node.changes += 1
  }
}

function usedBy(directory: DiskDirectory): number {
  let sum = 0
  for (const node of directory.names.values()) {
    sum += node.kind === 'file' ? node.content.storedBytes : usedBy(node)
  }
  return sum
}

function partsOf(path: string): readonly string[] {
  return path.split('/').filter((part) => part !== '')
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'))
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/** As node tells errors of the system. */
function diskError(code: Failure | 'ENOENT' | 'EISDIR' | 'ENOTDIR' | 'ENOTEMPTY', text: string) {
  return Object.assign(new Error(`${code}: ${text}`), { code })
}

function absent(path: string): Error {
  return diskError('ENOENT', `no such file or directory, ${path}`)
}
