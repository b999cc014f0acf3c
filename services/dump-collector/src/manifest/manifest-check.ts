/**
 * The rules of `/proc/vmcore.manifest` (contracts/dump.ts), line by line: header, ascending entries that do not
 * overlap and lie within the size, trailer whose count and digest are those of the entries.
 */
import { createHash } from 'node:crypto'
import {
  manifestEntry,
  manifestHeader,
  manifestTrailer,
  type ManifestEntry,
} from '@fadump-lab/shared/contracts'
import { byteLength, TiB } from '@fadump-lab/shared/units'
import { z } from 'zod'

/** The largest vmcore that is taken: the largest file of ext4 with 4 KiB blocks. */
export const vmcoreBytesMax = 16n * TiB
/** Entries of one manifest: 4 TiB of populated 64 KiB pages. Bounds the manifest on disk to 8 GiB. */
export const manifestEntriesMax = 64 * 1024 * 1024

/** The kernel's manifest breaks a rule. */
export class ManifestError extends Error {
  override readonly name = 'ManifestError'
}

export interface ManifestSummary {
  readonly sizeBytes: bigint
  readonly entries: number
  /** Bytes that the entries cover. */
  readonly populatedBytes: bigint
  readonly digest: string
}

const manifestLine = z.union([manifestEntry, manifestTrailer])

/** An entry as every kernel host writes it; a manifest has one for each page, so they have to be read fast. */
const usualEntry =
  /^\{"offset":(0|[1-9][0-9]{0,14}),"length":(0|[1-9][0-9]{0,14}),"sha256":"([0-9a-f]{64})"\}$/

/** What one line after the header says. Errors: `ManifestError`. */
export function parseManifestLine(line: string, number: number): z.output<typeof manifestLine> {
  const [, offset, length, sha256] = usualEntry.exec(line) ?? []
  if (offset !== undefined && length !== undefined && sha256 !== undefined) {
    return { offset: byteLength(BigInt(offset)), length: byteLength(BigInt(length)), sha256 }
  }
  return decodeLine(manifestLine, line, number)
}

export function isEntry(line: z.output<typeof manifestLine>): line is ManifestEntry {
  return 'offset' in line
}

/** Give it every line, then ask for `summary()`. Holds nothing but counters and a hash. */
export class ManifestCheck {
  readonly #hash = createHash('sha256')
  #lines = 0
  #entries = 0
  #populated = 0n
  /** Of the last entry. */
  #end = 0n
  #size: bigint | undefined
  #digest: string | undefined

  accept(line: string): void {
    this.#lines++
    if (this.#digest !== undefined) throw this.#refusal('nothing may follow the trailer')
    if (this.#size === undefined) {
      const { size } = decodeLine(manifestHeader, line, this.#lines)
      if (size > vmcoreBytesMax) throw this.#refusal(`size ${size} exceeds ${vmcoreBytesMax} bytes`)
      this.#size = size
      return
    }
    const parsed = parseManifestLine(line, this.#lines)
    if (isEntry(parsed)) this.#acceptEntry(parsed, this.#size)
    else this.#acceptTrailer(parsed)
  }

  /** Errors: `ManifestError` when the trailer has not come. */
  summary(): ManifestSummary {
    if (this.#size === undefined || this.#digest === undefined) {
      throw new ManifestError(`the manifest ends after line ${this.#lines}, before its trailer`)
    }
    return {
      sizeBytes: this.#size,
      entries: this.#entries,
      populatedBytes: this.#populated,
      digest: this.#digest,
    }
  }

  #acceptEntry({ offset, length, sha256 }: ManifestEntry, size: bigint): void {
    if (length === 0n) throw this.#refusal('an entry must not be empty')
    if (offset < this.#end) {
      throw this.#refusal(`offset ${offset} is below ${this.#end}, where the entry before ends`)
    }
    if (offset + length > size) {
      throw this.#refusal(`the entry ends at ${offset + length}, beyond the size ${size}`)
    }
    if (++this.#entries > manifestEntriesMax) {
      throw this.#refusal(`there are more than ${manifestEntriesMax} entries`)
    }
    this.#end = offset + length
    this.#populated += length
    this.#hash.update(`${offset} ${length} ${sha256}\n`)
  }

  #acceptTrailer({ entries, digest }: z.output<typeof manifestTrailer>): void {
    if (entries !== this.#entries) {
      throw this.#refusal(`the trailer counts ${entries} entries; there are ${this.#entries}`)
    }
    const computed = this.#hash.digest('hex')
    if (digest !== computed) {
      throw this.#refusal(`the trailer states the digest ${digest}; the entries have ${computed}`)
    }
    this.#digest = digest
  }

  #refusal(rule: string): ManifestError {
    return new ManifestError(`line ${this.#lines} of the manifest: ${rule}`)
  }
}

function decodeLine<S extends z.ZodType>(schema: S, line: string, number: number): z.output<S> {
  const parsed = schema.safeParse(parseJson(line, number))
  if (parsed.success) return parsed.data
  throw new ManifestError(`line ${number} of the manifest: ${z.prettifyError(parsed.error)}`)
}

function parseJson(line: string, number: number): unknown {
  try {
    return JSON.parse(line)
  } catch (cause) {
    throw new ManifestError(`line ${number} of the manifest is not JSON`, { cause })
  }
}
