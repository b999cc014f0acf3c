/**
 * The RTAS argument buffer (PAPR 7.2.8): big-endian 32-bit cells `token, nargs, nret, args…, rets…`.
 * The kernel passes its real address in GPR3; here the cells travel as bytes, in and out.
 */
import { u32 } from '../layout/index.ts'
import { viewOf } from '../units/index.ts'

/** Arguments and returns of one call together: `rtas_args.args[16]` of the kernel. */
export const rtasCellsMax = 16
const headerCells = 3

export interface RtasCall {
  readonly token: number
  /** Unsigned 32-bit cells. */
  readonly args: readonly number[]
  /** How many return cells the caller provides. */
  readonly returnCount: number
}

/** A buffer that is not an argument buffer; what is wrong is in the message. */
export class RtasCallError extends Error {
  override readonly name = 'RtasCallError'
}

/** The buffer with its return cells zero. Throws `RangeError` when a cell does not fit 32 bits. */
export function encodeRtasCall(call: RtasCall): Uint8Array {
  checkCounts(call.args.length, call.returnCount)
  return encodeCells([
    call.token,
    call.args.length,
    call.returnCount,
    ...call.args,
    ...Array.from({ length: call.returnCount }, () => 0),
  ])
}

/** The call in `bytes`. Throws `RtasCallError` when the counts do not describe exactly these bytes. */
export function decodeRtasCall(bytes: Uint8Array): RtasCall {
  const cells = decodeCells(bytes)
  const [token, argumentCount, returnCount] = cells
  if (token === undefined || argumentCount === undefined || returnCount === undefined) {
    throw new RtasCallError(
      `an RTAS call has at least token, nargs and nret, these are ${cells.length} cells`,
    )
  }
  checkCounts(argumentCount, returnCount)
  const expected = headerCells + argumentCount + returnCount
  if (cells.length !== expected) {
    throw new RtasCallError(
      `nargs ${argumentCount} and nret ${returnCount} make ${expected} cells, the buffer has ${cells.length}`,
    )
  }
  return { token, returnCount, args: cells.slice(headerCells, headerCells + argumentCount) }
}

/**
 * The buffer after the call: `returns` (signed 32-bit) fill the return cells from the first on, the rest stays
 * zero. A caller that provided no return cell gets none.
 */
export function encodeRtasReply(call: RtasCall, returns: readonly number[]): Uint8Array {
  const bytes = encodeRtasCall(call)
  const view = viewOf(bytes)
  const first = headerCells + call.args.length
  returns
    .slice(0, call.returnCount)
    .forEach((value, index) => view.setInt32(4 * (first + index), value))
  return bytes
}

/** The return cells of a buffer, signed; the first is the status. Throws as `decodeRtasCall`. */
export function decodeRtasReturns(bytes: Uint8Array): number[] {
  const call = decodeRtasCall(bytes)
  return decodeCells(bytes)
    .slice(headerCells + call.args.length)
    .map((cell) => cell | 0)
}

function checkCounts(argumentCount: number, returnCount: number): void {
  if (argumentCount + returnCount > rtasCellsMax) {
    throw new RtasCallError(
      `nargs ${argumentCount} and nret ${returnCount} exceed the ${rtasCellsMax} cells of an argument buffer`,
    )
  }
}

function encodeCells(cells: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * cells.length)
  const view = viewOf(bytes)
  cells.forEach((cell, index) => u32.write({ view, offset: 4 * index, order: 'big' }, cell))
  return bytes
}

function decodeCells(bytes: Uint8Array): number[] {
  const cellsMax = headerCells + rtasCellsMax
  if (bytes.byteLength % 4 !== 0 || bytes.byteLength > 4 * cellsMax) {
    throw new RtasCallError(
      `an RTAS argument buffer is at most ${cellsMax} whole cells, this one has ${bytes.byteLength} bytes`,
    )
  }
  const view = viewOf(bytes)
  return Array.from({ length: bytes.byteLength / 4 }, (_, index) =>
    u32.read({ view, offset: 4 * index, order: 'big' }),
  )
}
