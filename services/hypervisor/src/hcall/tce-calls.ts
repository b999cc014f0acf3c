/** H_GET_TCE, H_PUT_TCE, H_STUFF_TCE, H_PUT_TCE_INDIRECT (PAPR 14.5.4.2), each check in the order of its text. */
import {
  hcallReturn,
  isTceMapped,
  tceCountMax,
  tcePageBytes,
  tcePageShift,
} from '@fadump-lab/shared/hcall'
import { realAddress, viewOf } from '@fadump-lab/shared/units'
import { ownsPage } from '../io/owned-memory.ts'
import { decodeTceTable, encodeTceTable, entryAt, withEntries } from '../io/tce-table.ts'
import { tceEntriesMax, virtualAdapter } from '../io/virtual-adapter.ts'
import type { Step } from '../partition/partitions.ts'
import { readRecord } from '../partition/vcpu-access.ts'
import type { HcallRequest, HcallResult } from './hcall-request.ts'

/** Arguments: LIOBN, I/O bus address. Output: the entry; one that maps foreign memory is only told with H_PARTIAL. */
export async function getTce(request: HcallRequest): Promise<Step<HcallResult>> {
  const [liobn, address] = request.args
  if (indexOf(liobn, address) === undefined) return answered('H_PARAMETER')
  const tce = entryAt(await tableOf(request), address)
  if (!isTceMapped(tce) || ownsPage(request.held.record, tce)) return answered('H_SUCCESS', tce)
  return answered('H_PARTIAL', tce | 0xffff_ffff_ffff_f000n)
}

/** Arguments: LIOBN, I/O bus address, entry. */
export async function putTce(request: HcallRequest): Promise<Step<HcallResult>> {
  const [liobn, address, tce] = request.args
  const index = indexOf(liobn, address)
  if (index === undefined || !isAllowed(request, tce)) return answered('H_PARAMETER')
  return entered(request, index, [tce])
}

/** Arguments: LIOBN, I/O bus address, entry, count: the same entry again and again. */
export async function stuffTce(request: HcallRequest): Promise<Step<HcallResult>> {
  const [liobn, address, tce, count] = request.args
  const index = indexOf(liobn, address)
  if (index === undefined) return answered('H_PARAMETER')
  if (count > BigInt(tceCountMax)) return answered('H_P4')
  if (index + Number(count) > tceEntriesMax || !isAllowed(request, tce)) {
    return answered('H_PARAMETER')
  }
  return entered(request, index, Array<bigint>(Number(count)).fill(tce))
}

/** Arguments: LIOBN, I/O bus address, address of a page of entries in the caller's memory, count. */
export async function putTceIndirect(request: HcallRequest): Promise<Step<HcallResult>> {
  const [liobn, address, list, count] = request.args
  const index = indexOf(liobn, address)
  if (index === undefined || count > BigInt(tceCountMax)) return answered('H_PARAMETER')
  const isPage = list % BigInt(tcePageBytes) === 0n && ownsPage(request.held.record, list)
  if (index + Number(count) > tceEntriesMax || !isPage) return answered('H_PARAMETER')
  const tces = (await listAt(request, list)).slice(0, Number(count))
  if (!tces.every((tce) => isAllowed(request, tce))) return answered('H_PARAMETER')
  return entered(request, index, tces)
}

/** A page of entries in the caller's memory. */
async function listAt({ deps, held }: HcallRequest, address: bigint): Promise<bigint[]> {
  const view = viewOf(await deps.store.read(held.space, realAddress(address), tcePageBytes))
  return Array.from({ length: tceCountMax }, (_, index) => view.getBigUint64(8 * index))
}

async function entered(
  request: HcallRequest,
  index: number,
  tces: readonly bigint[],
): Promise<Step<HcallResult>> {
  const table = withEntries(await tableOf(request), index, tces)
  const done = answered('H_SUCCESS')
  return table === undefined
    ? done
    : { ...done, record: request.held.record, tces: encodeTceTable(table) }
}

async function tableOf({ deps, held }: HcallRequest) {
  return decodeTceTable(await readRecord(deps, held, 'tces'))
}

function answered(code: keyof typeof hcallReturn, ...outputs: bigint[]): Step<HcallResult> {
  return { result: { code: hcallReturn[code], outputs } }
}

/** The index of an entry; `undefined` for a table or an address that is not the caller's. */
function indexOf(liobn: bigint, address: bigint): number | undefined {
  const isInside = address < BigInt(virtualAdapter.windowBytes)
  return liobn === BigInt(virtualAdapter.liobn) && isInside
    ? Number(address >> BigInt(tcePageShift))
    : undefined
}

/** An entry that maps something must map memory of the caller. */
function isAllowed({ held }: HcallRequest, tce: bigint): boolean {
  return !isTceMapped(tce) || ownsPage(held.record, tce)
}
