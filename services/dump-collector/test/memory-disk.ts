/**
 * A disk in memory that tells what is written from what is durable: a file's bytes are durable when the file was
 * synced, a name when its directory was. After a power cut only that is left — or, as file systems may order it, all
 * names but only the synced bytes.
 */
import { basename, dirname } from 'node:path'
import type { DirectoryEntry, Files, OpenFile, OpenMode } from '../src/store/files.ts'

interface FileNode {
  readonly kind: 'file'
  bytes: Uint8Array
  durable: Uint8Array
  version: number
}
interface DirectoryNode {
  readonly kind: 'directory'
  names: Map<string, Node>
  durable: Map<string, Node>
}
type Node = FileNode | DirectoryNode

/** `strict`: unsynced names are lost. `names-first`: names are on the disk at once, bytes are not. */
export type PowerCut = 'strict' | 'names-first'

const aDirectory = (): DirectoryNode => ({
  kind: 'directory',
  names: new Map(),
  durable: new Map(),
})

export class MemoryDisk implements Files {
  readonly #root: DirectoryNode
  #versions = 0

  constructor(root: DirectoryNode = aDirectory()) {
    this.#root = root
  }

  /** The disk after the power came back. */
  afterPowerCut(order: PowerCut): MemoryDisk {
    return new MemoryDisk(survivor(this.#root, order))
  }

  /** The bytes of a file; `undefined` when there is none. */
  content(path: string): Uint8Array | undefined {
    const node = this.#find(path)
    return node?.kind === 'file' ? node.bytes : undefined
  }

  names(path: string): readonly string[] {
    const node = this.#find(path)
    return node?.kind === 'directory' ? [...node.names.keys()].toSorted() : []
  }

  async open(path: string, mode: OpenMode): Promise<OpenFile> {
    const directory = this.#directory(dirname(path))
    let node = directory.names.get(basename(path))
    if (node === undefined && mode === 'read') throw systemError('ENOENT', path)
    if (node === undefined) {
      node = { kind: 'file', bytes: new Uint8Array(), durable: new Uint8Array(), version: 0 }
      directory.names.set(basename(path), node)
    }
    if (node.kind !== 'file') throw systemError('EISDIR', path)
    if (mode === 'replace') node.bytes = new Uint8Array()
    return this.#openFile(node)
  }

  async makeDirectory(path: string): Promise<void> {
    let directory = this.#root
    for (const name of parts(path)) {
      let next = directory.names.get(name)
      if (next === undefined) {
        next = aDirectory()
        directory.names.set(name, next)
        directory.durable.set(name, next)
      }
      if (next.kind !== 'directory') throw systemError('ENOTDIR', path)
      directory = next
    }
  }

  async syncDirectory(path: string): Promise<void> {
    const directory = this.#directory(path)
    directory.durable = new Map(directory.names)
  }

  async rename(from: string, to: string): Promise<void> {
    const source = this.#directory(dirname(from))
    const node = source.names.get(basename(from))
    if (node === undefined) throw systemError('ENOENT', from)
    const target = this.#directory(dirname(to))
    const replaced = target.names.get(basename(to))
    if (replaced?.kind === 'directory' && replaced.names.size > 0)
      throw systemError('ENOTEMPTY', to)
    source.names.delete(basename(from))
    target.names.set(basename(to), node)
  }

  async remove(path: string): Promise<void> {
    const parent = this.#find(dirname(path))
    if (parent?.kind === 'directory') parent.names.delete(basename(path))
  }

  async removeIfEmpty(path: string): Promise<void> {
    const node = this.#find(path)
    if (node?.kind === 'directory' && node.names.size === 0) await this.remove(path)
  }

  async list(path: string): Promise<readonly DirectoryEntry[]> {
    const node = this.#find(path)
    if (node?.kind !== 'directory') return []
    return [...node.names].map(([name, { kind }]) => ({ name, kind }))
  }

  async facts(path: string): ReturnType<Files['facts']> {
    const node = this.#find(path)
    if (node?.kind !== 'file') return undefined
    const { byteLength } = node.bytes
    return { sizeBytes: byteLength, storedBytes: byteLength, version: `${node.version}` }
  }

  /** No disk of a test is full. */
  freeBytes(): Promise<number> {
    return Promise.resolve(Number.MAX_SAFE_INTEGER)
  }

  #openFile(node: FileNode): OpenFile {
    return {
      write: async (written, position) => {
        let at = position
        for (const part of written) {
          if (at + part.byteLength > node.bytes.byteLength) resize(node, at + part.byteLength)
          node.bytes.set(part, at)
          at += part.byteLength
        }
        node.version = ++this.#versions
      },
      read: async (target, position) => {
        const found = node.bytes.subarray(position, position + target.byteLength)
        target.set(found)
        return found.byteLength
      },
      resize: async (size) => resize(node, size),
      sync: async () => void (node.durable = node.bytes.slice()),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }
  }

  #find(path: string): Node | undefined {
    let node: Node | undefined = this.#root
    for (const name of parts(path)) {
      node = node?.kind === 'directory' ? node.names.get(name) : undefined
    }
    return node
  }

  #directory(path: string): DirectoryNode {
    const node = this.#find(path)
    if (node?.kind !== 'directory') throw systemError('ENOENT', path)
    return node
  }
}

function parts(path: string): readonly string[] {
  return path.split('/').filter((part) => part !== '')
}

function resize(node: FileNode, size: number): void {
  const bytes = new Uint8Array(size)
  bytes.set(node.bytes.subarray(0, size))
  node.bytes = bytes
}

function survivor(directory: DirectoryNode, order: PowerCut): DirectoryNode {
  const left = order === 'strict' ? directory.durable : directory.names
  const entries = [...left].map(([name, node]): [string, Node] => {
    if (node.kind === 'directory') return [name, survivor(node, order)]
    const { durable, version } = node
    return [name, { kind: 'file', bytes: durable.slice(), durable, version }]
  })
  return { kind: 'directory', names: new Map(entries), durable: new Map(entries) }
}

function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code })
}
