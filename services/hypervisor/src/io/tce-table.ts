/**
 * A partition's translation control entries (PAPR 14.5.4.2), kept in the record `tces` beside its memory, and the receive
 * buffers that its adapter has been given. Sparse: an entry that maps nothing is not kept, and without any there is no record.
 */
import { hexU64 } from '@fadump-lab/shared/contracts'
import { allowsWrite, isTceMapped, tcePageShift } from '@fadump-lab/shared/hcall'
import { rememberedCodec } from '@fadump-lab/shared/runtime'
import { z } from 'zod'
import { tceEntriesMax } from './virtual-adapter.ts'

export interface TceTable {
  /** By index: the I/O bus address without its page offset. */
  readonly entries: ReadonlyMap<number, bigint>
  /** I/O bus addresses that the adapter of a crashed kernel still has for receiving. */
  readonly inFlight: readonly bigint[]
}

const tceRecord = z.strictObject({
  entries: z.array(z.tuple([z.int().min(0), hexU64])).max(tceEntriesMax),
  inFlight: z.array(hexU64).max(tceEntriesMax),
})

/** Tables that are remembered as they were last read or written. */
const rememberedMax = 64

const codec = rememberedCodec<TceTable>(rememberedMax, {
  encode: ({ entries, inFlight }) => {
    const record = { entries: [...entries], inFlight: [...inFlight] }
    return JSON.stringify(z.encode(tceRecord, record))
  },
  decode: (text) => {
    const { entries, inFlight } = z.decode(tceRecord, JSON.parse(text) as never)
    return { entries: new Map(entries), inFlight }
  },
})

/** `undefined` is the record of a partition that maps nothing. */
export function decodeTceTable(record: string | undefined): TceTable {
  return record === undefined ? { entries: new Map(), inFlight: [] } : codec.decode(record)
}

/** `null` when there is nothing to keep. */
export function encodeTceTable(table: TceTable): string | null {
  return table.entries.size === 0 && table.inFlight.length === 0 ? null : codec.encode(table)
}

/** `table` with `tces` from `first` on; an entry of "page fault" is taken out. `undefined` when that changes nothing. */
export function withEntries(
  table: TceTable,
  first: number,
  tces: readonly bigint[],
): TceTable | undefined {
  // A table that maps nothing is cleared entry by entry by every kernel that boots.
  if (table.entries.size === 0 && !tces.some(isTceMapped)) return undefined
  const entries = new Map(table.entries)
  let isChanged = false
  for (const [offset, tce] of tces.entries()) {
    const index = first + offset
    if ((entries.get(index) ?? 0n) === (isTceMapped(tce) ? tce : 0n)) continue
    isChanged = true
    if (isTceMapped(tce)) entries.set(index, tce)
    else entries.delete(index)
  }
  return isChanged ? { ...table, entries } : undefined
}

/** The entry for an I/O bus address; 0 where nothing is mapped. */
export function entryAt({ entries }: TceTable, address: bigint): bigint {
  return entries.get(Number(address >> BigInt(tcePageShift))) ?? 0n
}

/** The table at a crash: what the adapter may write to is what it has been given for receiving. */
export function withDmaInFlight(table: TceTable): TceTable {
  const writable = [...table.entries].filter(([, tce]) => allowsWrite(tce))
  return { ...table, inFlight: writable.map(([index]) => BigInt(index) << BigInt(tcePageShift)) }
}
