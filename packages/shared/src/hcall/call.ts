/**
 * A hypervisor call as its registers (PAPR chapter 14, Linux `arch/powerpc/include/asm/hvcall.h`): GPR3 holds the
 * function token, GPR4 to GPR12 the arguments; the call leaves its return code in GPR3 and outputs from GPR4 on. Here
 * the registers travel as big-endian 64-bit cells.
 */
import { viewOf } from '../units/index.ts'

/** GPR3 to GPR12. */
export const hcallCellsMax = 10
const cellBytes = 8

export interface Hcall {
  readonly token: number
  /** Unsigned 64-bit registers from GPR4 on. */
  readonly args: readonly bigint[]
}

export interface HcallReply {
  /** Signed. */
  readonly code: number
  /** Unsigned 64-bit registers from GPR4 on. */
  readonly outputs: readonly bigint[]
}

/** Registers that are none; what is wrong is in the message. */
export class HcallError extends Error {
  override readonly name = 'HcallError'
}

/** Throws `HcallError` for more arguments than there are registers. */
export function encodeHcall({ token, args }: Hcall): Uint8Array {
  return encodeCells([BigInt(token), ...args])
}

/** Throws `HcallError`. */
export function decodeHcall(bytes: Uint8Array): Hcall {
  const [token, ...args] = decodeCells(bytes)
  return { token: Number(token), args }
}

export function encodeHcallReply({ code, outputs }: HcallReply): Uint8Array {
  return encodeCells([BigInt.asUintN(64, BigInt(code)), ...outputs])
}

/** Throws `HcallError`. */
export function decodeHcallReply(bytes: Uint8Array): HcallReply {
  const [code = 0n, ...outputs] = decodeCells(bytes)
  return { code: Number(BigInt.asIntN(64, code)), outputs }
}

function encodeCells(cells: readonly bigint[]): Uint8Array {
  checkCount(cells.length)
  const bytes = new Uint8Array(cellBytes * cells.length)
  const view = viewOf(bytes)
  cells.forEach((cell, index) => view.setBigUint64(cellBytes * index, cell))
  return bytes
}

function decodeCells(bytes: Uint8Array): bigint[] {
  if (bytes.byteLength % cellBytes !== 0) {
    throw new HcallError(
      `the registers of a hypervisor call are whole cells of ${cellBytes} bytes, these are ${bytes.byteLength} bytes`,
    )
  }
  const count = bytes.byteLength / cellBytes
  checkCount(count)
  const view = viewOf(bytes)
  return Array.from({ length: count }, (_, index) => view.getBigUint64(cellBytes * index))
}

function checkCount(count: number): void {
  if (count >= 1 && count <= hcallCellsMax) return
  throw new HcallError(
    `a hypervisor call has GPR3 and at most ${hcallCellsMax - 1} registers behind it, these are ${count} registers`,
  )
}
