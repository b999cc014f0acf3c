/** A vmcore on the wire: plain with holes as zeros, flattened without them, or only its digests. */
import { createHash } from 'node:crypto'
import { manifestEntry, manifestHeader, manifestTrailer } from '@fadump-lab/shared/contracts'
import { flattenedEnd, flattenedHeader, flattenedRecord } from '@fadump-lab/shared/elf'
import { byteLength, fromAscii } from '@fadump-lab/shared/units'
import { z } from 'zod'
import { digestsOfVmcore } from './digests.ts'
import type { OpenVmcore } from './open-vmcore.ts'
import { pieceBytesMax, piecesOfVmcore } from './pieces.ts'

/** Told of the bytes of each piece that is sent; holes are not counted. */
export type CountBytes = (bytes: number) => void

export interface StreamOptions {
  readonly windows: number
  readonly count: CountBytes
}

const zeros = new Uint8Array(pieceBytesMax)

/** Bytes `[from, to)` of the file. */
export async function* plainStream(
  vmcore: OpenVmcore,
  range: { readonly from: bigint; readonly to: bigint },
  { windows, count }: StreamOptions,
): AsyncGenerator<Uint8Array, void, void> {
  let at = range.from
  for await (const { offset, bytes } of piecesOfVmcore(vmcore, { ...range, windows })) {
    yield* hole(offset - at)
    count(bytes.byteLength)
    yield bytes
    at = offset + BigInt(bytes.byteLength)
  }
  yield* hole(range.to - at)
  await vmcore.check()
}

function* hole(length: bigint): Generator<Uint8Array, void, void> {
  for (let left = length; left > 0n; left -= BigInt(pieceBytesMax)) {
    yield left >= BigInt(pieceBytesMax) ? zeros : zeros.subarray(0, Number(left))
  }
}

/** makedumpfile's flattened stream of what lies at or behind `from`. */
export async function* flattenedStream(
  vmcore: OpenVmcore,
  from: bigint,
  { windows, count }: StreamOptions,
): AsyncGenerator<Uint8Array, void, void> {
  yield flattenedHeader()
  for await (const { offset, bytes } of piecesOfVmcore(vmcore, { from, windows })) {
    count(bytes.byteLength)
    yield flattenedRecord(offset, bytes.byteLength)
    yield bytes
  }
  await vmcore.check()
  yield flattenedEnd()
}

/** Lines of the manifest are sent together when they have reached so many bytes. */
const manifestChunkBytes = 16 * 1024

/** The manifest: header, one entry a populated part, trailer with a digest over all entries. NDJSON. */
export async function* manifestStream(
  vmcore: OpenVmcore,
  windows: number,
): AsyncGenerator<Uint8Array, void, void> {
  const { size } = vmcore.plan
  yield fromAscii(line(z.encode(manifestHeader, { format: 'vmcore-manifest-1', size })))
  const digest = createHash('sha256')
  let entries = 0
  let text = ''
  for await (const { offset, length, sha256 } of digestsOfVmcore(vmcore, windows)) {
    digest.update(`${offset} ${length} ${sha256}\n`)
    entries += 1
    const entry = { offset: byteLength(offset), length: byteLength(length), sha256 }
    text += line(z.encode(manifestEntry, entry))
    if (text.length < manifestChunkBytes) continue
    yield fromAscii(text)
    text = ''
  }
  if (text !== '') yield fromAscii(text)
  await vmcore.check()
  yield fromAscii(line(z.encode(manifestTrailer, { entries, digest: digest.digest('hex') })))
}

function line(value: unknown): string {
  return `${JSON.stringify(value)}\n`
}
