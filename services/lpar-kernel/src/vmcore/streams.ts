/** A vmcore on the wire: plain with holes as zeros, flattened without them, or only its digests. */
import { createHash } from 'node:crypto'
import { manifestEntry, manifestHeader, manifestTrailer } from '@fadump-lab/shared/contracts'
import { flattenedEnd, flattenedHeader, flattenedRecord } from '@fadump-lab/shared/elf'
import { byteLength, fromAscii } from '@fadump-lab/shared/units'
import { z } from 'zod'
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

/** The manifest: header, one entry a piece, trailer with a digest over all entries. NDJSON. */
export async function* manifestStream(
  vmcore: OpenVmcore,
  windows: number,
): AsyncGenerator<Uint8Array, void, void> {
  const { size } = vmcore.plan
  yield line(z.encode(manifestHeader, { format: 'vmcore-manifest-1', size }))
  const digest = createHash('sha256')
  let entries = 0
  for await (const { offset, bytes } of piecesOfVmcore(vmcore, { windows })) {
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    digest.update(`${offset} ${bytes.byteLength} ${sha256}\n`)
    entries += 1
    const entry = { offset: byteLength(offset), length: byteLength(bytes.byteLength), sha256 }
    yield line(z.encode(manifestEntry, entry))
  }
  await vmcore.check()
  yield line(z.encode(manifestTrailer, { entries, digest: digest.digest('hex') }))
}

function line(value: unknown): Uint8Array {
  return fromAscii(`${JSON.stringify(value)}\n`)
}
