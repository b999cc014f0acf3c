/** What both stores refuse, and in which words. Checks run in the order in which the port lists the errors. */
import {
  describeLength,
  hex,
  invariant,
  isAligned,
  type ByteLength,
  type MemoryRange,
} from '../units/index.ts'
import {
  changeOperationsMax,
  commitBytesMax,
  digestPagesMax,
  pageSize,
  recordBytesMax,
  recordsMax,
  StoreError,
  transferBytesMax,
  type MemoryChange,
  type SpaceId,
} from './memory-store.ts'

/** The most that a UTF-16 unit takes in UTF-8. */
const utf8BytesMax = 3

const frameNames = /^[a-z0-9][a-z0-9-]{0,63}$/
const spaceNames = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,127}$/
const recordNames = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,127}$/

/** Names are chosen by code, so a wrong one is a programmer error. */
export function checkFrame(frame: string): void {
  invariant(
    frameNames.test(frame),
    `frame ${JSON.stringify(frame)} must be 1 to 64 lower-case letters, digits and hyphens`,
  )
}

export function checkSpaceId({ frame, space }: SpaceId): void {
  checkFrame(frame)
  invariant(
    spaceNames.test(space),
    `space ${JSON.stringify(space)} must be 1 to 128 letters, digits and . _ / -`,
  )
}

export function checkSize(size: ByteLength): void {
  invariant(
    size > 0n && isAligned(size, BigInt(pageSize)),
    `the size of a space must be a positive multiple of ${pageSize} bytes, not ${size}`,
  )
}

export function checkLimit(limit: number): void {
  invariant(
    Number.isSafeInteger(limit) && limit > 0,
    `limit must be a positive count, not ${limit}`,
  )
}

export function checkTransfer(length: number): void {
  invariant(Number.isSafeInteger(length) && length >= 0, `length must be a count, not ${length}`)
  if (length > transferBytesMax) {
    throw tooLarge(`one transfer moves at most ${transferBytesMax} bytes, not ${length}`)
  }
}

/** The numbers of the pages of `range`. */
export function checkDigestRange({ start, end }: MemoryRange): readonly number[] {
  invariant(
    isAligned(start, BigInt(pageSize)) && isAligned(end, BigInt(pageSize)) && start <= end,
    `digests are told of whole pages, not of [${hex(start)}, ${hex(end)})`,
  )
  const count = (end - start) / BigInt(pageSize)
  if (count > BigInt(digestPagesMax)) {
    throw tooLarge(`one call tells the digests of at most ${digestPagesMax} pages, not ${count}`)
  }
  const first = Number(start / BigInt(pageSize))
  return Array.from({ length: Number(count) }, (_, index) => first + index)
}

export function checkRecords(records: Readonly<Record<string, string | null>>): void {
  const entries = Object.entries(records)
  if (entries.length > recordsMax) {
    throw tooLarge(`one change sets at most ${recordsMax} records, not ${entries.length}`)
  }
  for (const [name, value] of entries) {
    invariant(
      recordNames.test(name),
      `record ${JSON.stringify(name)} must be 1 to 128 letters, digits and . _ / -`,
    )
    if (value === null || value.length * utf8BytesMax <= recordBytesMax) continue
    const length = utf8Length(value)
    if (length > recordBytesMax) {
      throw tooLarge(`record ${name} has ${length} bytes; at most ${recordBytesMax} are kept`)
    }
  }
}

/** Everything about a change that can be refused without knowing the space. */
export function checkChange(id: SpaceId, change: MemoryChange): void {
  const { clears = [], copies = [], writes = [], cloneFrom } = change
  checkRecords(change.records ?? {})
  const operations = clears.length + copies.length + writes.length
  if (operations > changeOperationsMax) {
    throw tooLarge(`one commit makes at most ${changeOperationsMax} changes, not ${operations}`)
  }
  const written = writes.reduce((sum, { bytes }) => sum + bytes.byteLength, 0)
  if (written > commitBytesMax) {
    throw tooLarge(`the writes of one commit carry at most ${commitBytesMax} bytes, not ${written}`)
  }
  if (cloneFrom === undefined) return
  checkSpaceId(cloneFrom)
  invariant(
    cloneFrom.frame === id.frame,
    `a clone stays within its frame: ${nameOf(cloneFrom)} is not in ${id.frame}`,
  )
}

/** Every range of `change` against the size of the space and, for a clone, that of its source. */
export function checkChangeRanges(
  id: SpaceId,
  change: MemoryChange,
  sizes: { readonly space: ByteLength; readonly clone: ByteLength | undefined },
): void {
  if (sizes.clone !== undefined && sizes.clone > sizes.space) {
    const [source, target] = [describeLength(sizes.clone), describeLength(sizes.space)]
    throw new StoreError(
      'out-of-range',
      `the clone's source has ${source}, ${nameOf(id)} only ${target}`,
    )
  }
  const within = (start: bigint, length: bigint): void =>
    checkWithin(id, { size: sizes.space, start, length })
  for (const { start, end } of change.clears ?? []) within(start, end - start)
  for (const { source, target, length } of change.copies ?? []) {
    within(source, length)
    within(target, length)
  }
  for (const { address, bytes } of change.writes ?? []) within(address, BigInt(bytes.byteLength))
}

export function checkRange(id: SpaceId, size: ByteLength, { start, end }: MemoryRange): void {
  checkWithin(id, { size, start, length: end - start })
}

export function checkWithin(
  id: SpaceId,
  at: { readonly size: bigint; readonly start: bigint; readonly length: bigint },
): void {
  if (at.start + at.length > at.size) throw outOfRange(id, at)
}

export function outOfRange(
  id: SpaceId,
  at: { readonly size: bigint; readonly start: bigint; readonly length: bigint },
): StoreError {
  const end = hex(at.start + at.length)
  return new StoreError(
    'out-of-range',
    `[${hex(at.start)}, ${end}) goes beyond the ${describeLength(at.size)} of ${nameOf(id)}`,
  )
}

export function noSuchSpace(id: SpaceId): StoreError {
  return new StoreError('no-such-space', `there is no space ${nameOf(id)}`)
}

export function spaceExists(id: SpaceId): StoreError {
  return new StoreError('space-exists', `space ${nameOf(id)} exists already`)
}

export function staleEpoch(id: SpaceId, epochs: { expected: number; present: number }): StoreError {
  return new StoreError(
    'stale-epoch',
    `${nameOf(id)} is in epoch ${epochs.present}; the change is of epoch ${epochs.expected}`,
  )
}

export function versionConflict(id: SpaceId, detail: string): StoreError {
  return new StoreError('version-conflict', `${nameOf(id)} ${detail}`)
}

export function unavailable(detail: string, cause?: unknown): StoreError {
  return new StoreError('unavailable', detail, cause === undefined ? {} : { cause })
}

function tooLarge(detail: string): StoreError {
  return new StoreError('too-large', detail)
}

function nameOf({ frame, space }: SpaceId): string {
  return `${frame}:${space}`
}

function utf8Length(text: string): number {
  return new TextEncoder().encode(text).byteLength
}
