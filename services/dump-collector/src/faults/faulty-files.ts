/** A disk that fails as planned: full, without fsync, rotten; and its calls as steps at which the process can end. */
import { basename } from 'node:path'
import { partitionOfDump, type FaultTools, type Occasion } from '@fadump-lab/shared/faults'
import { remembering } from '@fadump-lab/shared/runtime'
import type { Files, OpenFile } from '../store/files.ts'

export function faultyFiles(inner: Files, tools: FaultTools): Files {
  const step = <T>(call: string, path: string, run: () => Promise<T>): Promise<T> =>
    tools.step({ ...occasionOf(`${call} ${path}`, path), at: `files.${call}` }, run)
  return {
    open: (path, mode) =>
      step('open', path, async () => {
        if (mode === 'read') await rot(inner, tools, path)
        return faultyFile(await inner.open(path, mode), { tools, path })
      }),
    makeDirectory: (path) => step('makeDirectory', path, () => inner.makeDirectory(path)),
    syncDirectory: (path) =>
      step('syncDirectory', path, async () => {
        const occasion = { ...occasionOf(`fsync ${path}`, path), at: 'directory' }
        checkSync(tools, occasion)
        await inner.syncDirectory(path)
      }),
    rename: (from, to) => step('rename', to, () => inner.rename(from, to)),
    remove: (path) => step('remove', path, () => inner.remove(path)),
    removeIfEmpty: (path) => step('removeIfEmpty', path, () => inner.removeIfEmpty(path)),
    list: async (path) => {
      tools.checkAlive()
      return inner.list(path)
    },
    facts: async (path) => {
      tools.checkAlive()
      return inner.facts(path)
    },
    freeBytes: async (path) => {
      tools.checkAlive()
      return inner.freeBytes(path)
    },
  }
}

interface FileTools {
  readonly tools: FaultTools
  readonly path: string
}

function faultyFile(file: OpenFile, { tools, path }: FileTools): OpenFile {
  const step = <T>(call: string, run: () => Promise<T>): Promise<T> =>
    tools.step({ ...occasionOf(`${call} ${path}`, path), at: `files.${call}` }, run)
  return {
    write: (parts, position) =>
      step('write', async () => {
        const end = parts.reduce((sum, part) => sum + part.byteLength, position)
        const full = tools.plan.aim(
          'disk-full',
          occasionOf(`write ${path}`, path),
          (at) => end > at,
        )
        if (full === undefined) return file.write(parts, position)
        full.strike()
        if (full.value > position) await file.write(upTo(parts, full.value - position), position)
        throw systemError('ENOSPC', `no space left on device, write ${path}`)
      }),
    read: async (target, position) => {
      tools.checkAlive()
      return file.read(target, position)
    },
    resize: (size) => step('resize', () => file.resize(size)),
    sync: () =>
      step('sync', async () => {
        checkSync(tools, occasionOf(`fsync ${path}`, path))
        await file.sync()
      }),
    [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
  }
}

function checkSync({ plan }: FaultTools, occasion: Occasion): void {
  if (plan.strike('fsync-error', occasion) === undefined) return
  throw systemError('EIO', `i/o error, ${occasion.what}`)
}

/** The disk itself has changed: the bit is wrong for every reader from now on. */
async function rot(inner: Files, { plan }: FaultTools, path: string): Promise<void> {
  const size = (await inner.facts(path))?.sizeBytes ?? 0
  const occasion = occasionOf(`a bit of ${path}`, path)
  const aim = plan.aim('bit-rot', occasion, (position) => position < size)
  if (aim === undefined) return
  await using file = await inner.open(path, 'update')
  const byte = new Uint8Array(1)
  await file.read(byte, aim.value)
  await file.write([byte.map((value) => value ^ 1)], aim.value)
  await file.sync()
  aim.strike()
}

function occasionOf(what: string, path: string): Occasion {
  return { what, ...placeOf(path) }
}

/** Paths whose places are remembered: a capture writes the same few files again and again. */
const rememberedMax = 256

/** The partition stands before the directory of its dump (store/layout.ts). */
const placeOf = remembering(rememberedMax, (path): Pick<Occasion, 'at' | 'partition'> => {
  const segments = path.split('/')
  const partition = segments.find((segment, index) => {
    const dump = segments[index + 1]?.replace(/\.\w+$/, '')
    return partitionOfDump(dump) === segment
  })
  return { at: basename(path).replace(/\.new$/, ''), partition }
})

/** The first `length` bytes. */
function upTo(parts: readonly Uint8Array[], length: number): readonly Uint8Array[] {
  let left = length
  return parts.map((part) => {
    const taken = part.subarray(0, left)
    left -= taken.byteLength
    return taken
  })
}

function systemError(code: string, message: string): Error {
  return Object.assign(new Error(`${code}: ${message}`), { code })
}
