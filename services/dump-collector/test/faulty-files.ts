/** A disk that stops at a chosen operation, and one that keeps a list of them. */
import type { Files, OpenFile } from '../src/store/files.ts'

export type Moment = 'halfway' | 'after'

export interface DyingDisk {
  readonly files: Files
  /** Operations that change the disk so far. */
  readonly operations: readonly string[]
  readonly isDead: boolean
}

/**
 * `inner` until operation number `deathAt` (0 for the first): that one happens, or half of it when it is a write, without
 * the caller's knowledge, and everything after it fails.
 */
export function dyingDisk(
  inner: Files,
  options: { readonly deathAt?: number; readonly moment?: Moment; readonly onDeath?: () => void },
): DyingDisk {
  const { deathAt = Infinity, moment = 'after', onDeath } = options
  const operations: string[] = []
  let isDead = false
  const dead = () => new Error('the process is dead')
  const change = async <T>(what: string, run: () => Promise<T>, half?: () => Promise<void>) => {
    if (isDead) throw dead()
    operations.push(what)
    if (operations.length - 1 < deathAt) return run()
    isDead = true
    if (moment === 'after') await run()
    if (moment === 'halfway') await half?.()
    onDeath?.()
    throw dead()
  }
  const look = async <T>(run: () => Promise<T>) => {
    if (isDead) throw dead()
    return run()
  }
  const wrap = (path: string, file: OpenFile): OpenFile => ({
    write: (parts, position) =>
      change(
        `write ${path}`,
        () => file.write(parts, position),
        () => file.write(firstHalf(parts), position),
      ),
    read: (target, position) => look(() => file.read(target, position)),
    resize: (size) => change(`resize ${path}`, () => file.resize(size)),
    sync: () => change(`sync ${path}`, () => file.sync()),
    [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
  })
  const files: Files = {
    open: async (path, mode) => {
      const open = () => inner.open(path, mode)
      const file = mode === 'read' ? await look(open) : await change(`open ${path}`, open)
      return wrap(path, file)
    },
    makeDirectory: (path) => change(`makeDirectory ${path}`, () => inner.makeDirectory(path)),
    syncDirectory: (path) => change(`syncDirectory ${path}`, () => inner.syncDirectory(path)),
    rename: (from, to) => change(`rename ${from} ${to}`, () => inner.rename(from, to)),
    remove: (path) => change(`remove ${path}`, () => inner.remove(path)),
    removeIfEmpty: (path) => change(`removeIfEmpty ${path}`, () => inner.removeIfEmpty(path)),
    list: (path) => look(() => inner.list(path)),
    facts: (path) => look(() => inner.facts(path)),
    freeBytes: (path) => look(() => inner.freeBytes(path)),
  }
  return {
    files,
    operations,
    get isDead() {
      return isDead
    },
  }
}

/** A disk whose quota leaves room for so many bytes of vmcore, until `free()`; statfs(2) knows nothing of it. */
export function fullDisk(inner: Files, roomBytes: number): { files: Files; free(): void } {
  let room = roomBytes
  return {
    free: () => void (room = Infinity),
    files: {
      ...inner,
      open: async (path, mode) => {
        const file = await inner.open(path, mode)
        if (!path.endsWith('/vmcore')) return file
        return {
          ...file,
          write: async (parts, position) => {
            room -= parts.reduce((sum, part) => sum + part.byteLength, 0)
            if (room < 0)
              throw Object.assign(new Error('ENOSPC: no space left on device, write'), {
                code: 'ENOSPC',
              })
            await file.write(parts, position)
          },
          [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
        }
      },
    },
  }
}

function firstHalf(parts: readonly Uint8Array[]): readonly Uint8Array[] {
  return parts.map((part) => part.subarray(0, part.byteLength >> 1)).slice(0, 1)
}
