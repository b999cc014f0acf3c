/** One stored dump compared with its manifest, and its manifest with what the dump says of it. */
import type { Dump } from '@fadump-lab/shared/contracts'
import { ManifestError, type ManifestSummary } from '../manifest/manifest-check.ts'
import { checkManifest } from '../manifest/manifest-file.ts'
import { LineTooLongError } from '../manifest/lines.ts'
import { verifyFile } from '../manifest/verify-file.ts'
import { writeDump } from '../store/dump-file.ts'
import type { StoredDump } from '../store/dump-index.ts'
import { errorCode, isAbsent } from '../store/files.ts'
import { fileIn } from '../store/layout.ts'
import { labelRotten, type Rot, type RotTools } from '../store/rot.ts'

export interface ScrubOptions {
  readonly signal: AbortSignal
  /** Awaited after every read, with its length. */
  readonly onRead: (length: number) => Promise<void>
  /** Whether the dump is still the one that was looked at: asked before anything is written. */
  readonly isStill: (stored: StoredDump) => Promise<boolean>
}

/** Whether something was found that was good before. Errors: those of the file; the reason of the signal. */
export async function scrubDump(
  tools: RotTools,
  stored: StoredDump,
  options: ScrubOptions,
): Promise<boolean> {
  const rot = await rotOf(tools, stored, options)
  if (!(await options.isStill(stored))) return false
  if (rot !== undefined) {
    await labelRotten(tools, stored, rot)
    return true
  }
  const { files, clock } = tools
  await writeDump(files, stored.place, { ...stored.dump, scrubbedAt: clock.iso() })
  return false
}

async function rotOf(
  { files }: RotTools,
  { place, dump }: StoredDump,
  { signal, onRead }: ScrubOptions,
): Promise<Rot | undefined> {
  const manifest = fileIn(place, 'manifest')
  const damage = await damageOfManifest(() => checkManifest(files, manifest), dump)
  if (damage !== undefined) {
    const failure = `its manifest is damaged, so that nothing of it can be vouched for: ${damage}`
    return { failure, found: undefined }
  }
  const { sizeBytes } = dump
  const vmcore = fileIn(place, 'vmcore')
  const verified = { files, vmcore, manifest, sizeBytes, receivedEnd: sizeBytes, signal, onRead }
  const found = await verifyFile(verified)
  const missing = new Set(dump.missing.map(({ offset, length }) => `${offset} ${length}`))
  const fresh = found.bad.filter(({ offset, length }) => !missing.has(`${offset} ${length}`))
  if (fresh.length === 0) return undefined
  const bad = found.entries - found.good
  const failure = `bit rot: ${bad} of ${found.entries} entries differ from the manifest that the dump was verified against`
  return { failure, found }
}

/** What is wrong with the manifest; `undefined` when it is the one that the dump was stored with. */
async function damageOfManifest(
  check: () => Promise<ManifestSummary>,
  { sizeBytes, digest }: Dump,
): Promise<string | undefined> {
  try {
    const summary = await check()
    if (summary.sizeBytes === sizeBytes && summary.digest === digest) return undefined
    return `it has the digest ${summary.digest}, the dump was stored with ${digest ?? 'none'}`
  } catch (error) {
    if (!isDamage(error)) throw error
    return error.message
  }
}

/** It breaks a rule, is no text, is gone, or cannot be read from the disk. */
function isDamage(error: unknown): error is Error {
  if (isAbsent(error) || errorCode(error) === 'EIO') return true
  return [ManifestError, LineTooLongError, TypeError].some((kind) => error instanceof kind)
}
