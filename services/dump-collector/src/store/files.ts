/**
 * The disk, as a port: what the collector asks of it and nothing more. `nodeFiles` is the machine's own; fault tests
 * put one in its place that fills up or stops at a chosen operation.
 */
import { constants } from 'node:fs'
import {
  mkdir,
  open,
  readdir,
  rename,
  rm,
  rmdir,
  stat,
  statfs,
  type FileHandle,
} from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { readFully, writeAll } from './whole-io.ts'

/** `read`: must exist. `update`: made when absent. `replace`: made, or emptied when it exists. */
export type OpenMode = 'read' | 'update' | 'replace'

export interface OpenFile extends AsyncDisposable {
  /** Writes all of `parts`, one behind the other, from byte `position` on. */
  write(parts: readonly Uint8Array[], position: number): Promise<void>
  /** Fills `target` from byte `position` on; returns the bytes read, fewer than asked only at the end of the file. */
  read(target: Uint8Array, position: number): Promise<number>
  /** Makes the file `size` bytes long; what is added is a hole. */
  resize(size: number): Promise<void>
  /** Resolves when everything written is on the disk. */
  sync(): Promise<void>
}

export interface DirectoryEntry {
  readonly name: string
  readonly kind: 'file' | 'directory' | 'other'
}

export interface FileFacts {
  readonly sizeBytes: number
  /** Bytes the file takes on disk; holes take none. */
  readonly storedBytes: number
  /** Changes whenever the file is replaced or written. */
  readonly version: string
}

export interface Files {
  open(path: string, mode: OpenMode): Promise<OpenFile>
  /** With its parents; what was made is durable when this resolves. Not an error when it exists. */
  makeDirectory(path: string): Promise<void>
  /** Resolves when the names in the directory are on the disk. */
  syncDirectory(path: string): Promise<void>
  rename(from: string, to: string): Promise<void>
  /** A file or a whole directory; not an error when it is absent. */
  remove(path: string): Promise<void>
  /** A directory without names in it; nothing happens when it is absent or has some. */
  removeIfEmpty(path: string): Promise<void>
  /** Nothing when the directory is absent. */
  list(path: string): Promise<readonly DirectoryEntry[]>
  /** `undefined` when there is no such file. */
  facts(path: string): Promise<FileFacts | undefined>
  /** Bytes that this process may still write to the file system of `path`. */
  freeBytes(path: string): Promise<number>
}

const flags: Record<OpenMode, number> = {
  read: constants.O_RDONLY,
  update: constants.O_RDWR | constants.O_CREAT,
  replace: constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC,
}
/** Dumps hold the memory of a machine: for the owner only, as /proc/vmcore is (mode 0400). */
const fileMode = 0o600
const directoryMode = 0o700
/** `st_blocks` counts in these, whatever the file system (stat(2)). */
const statBlockBytes = 512

export const nodeFiles: Files = {
  open: async (path, mode) => openFile(await open(path, flags[mode], fileMode)),
  makeDirectory: async (path) => {
    const first = await mkdir(path, { recursive: true, mode: directoryMode })
    if (first === undefined) return
    const top = resolve(first)
    for (let made = resolve(path); made.length >= top.length; made = dirname(made)) {
      await syncDirectory(dirname(made))
    }
  },
  syncDirectory,
  rename,
  remove: (path) => rm(path, { recursive: true, force: true }),
  removeIfEmpty: async (path) => {
    try {
      await rmdir(path)
    } catch (error) {
      if (!isAbsent(error) && errorCode(error) !== 'ENOTEMPTY') throw error
    }
  },
  list: async (path) => {
    const entries = await absentAs([], readdir(path, { withFileTypes: true }))
    return entries.map((entry) => ({
      name: entry.name,
      kind: entry.isFile() ? 'file' : entry.isDirectory() ? 'directory' : 'other',
    }))
  },
  facts: async (path) => {
    const found = await absentAs(undefined, stat(path, { bigint: true }))
    if (found === undefined) return undefined
    return {
      sizeBytes: Number(found.size),
      storedBytes: Number(found.blocks) * statBlockBytes,
      version: `${found.ino}-${found.mtimeNs}-${found.size}`,
    }
  },
  freeBytes: async (path) => {
    const { bavail, bsize } = await statfs(path)
    return bavail * bsize
  },
}

async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY)
  await directory.sync()
}

/** The text of a small file; `undefined` when there is none, or one so long that it is not the collector's. */
export async function readText(
  files: Files,
  path: string,
  bytesMax: number,
): Promise<string | undefined> {
  const facts = await files.facts(path)
  if (facts === undefined || facts.sizeBytes > bytesMax) return undefined
  return absentAs(undefined, readWhole(files, path, facts.sizeBytes))
}

async function readWhole(files: Files, path: string, length: number): Promise<string> {
  await using file = await files.open(path, 'read')
  const text = new Uint8Array(length)
  return new TextDecoder().decode(text.subarray(0, await file.read(text, 0)))
}

/** Whether `error` says that a file or directory does not exist. */
export function isAbsent(error: unknown): boolean {
  return errorCode(error) === 'ENOENT'
}

/** The `code` of a system error, e.g. `ENOSPC`. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

async function absentAs<A, T>(absent: A, found: Promise<T>): Promise<A | T> {
  try {
    return await found
  } catch (error) {
    if (isAbsent(error)) return absent
    throw error
  }
}

function openFile(handle: FileHandle): OpenFile {
  return {
    write: (parts, position) => writeAll(handle, parts, position),
    read: (target, position) => readFully(handle, target, position),
    resize: (size) => handle.truncate(size),
    sync: () => handle.datasync(),
    [Symbol.asyncDispose]: () => handle.close(),
  }
}
