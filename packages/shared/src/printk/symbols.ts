/** From kernel pointers and VMCOREINFO symbols to physical addresses: log structures lie in the linear map. */
import { linearMapBase } from '../elf/index.ts'
import { hex, realAddress, type RealAddress } from '../units/index.ts'
import { LogFormatError } from './kernel-log.ts'

/** The physical address behind a pointer of the linear map. Throws `LogFormatError` for any other pointer. */
export function physicalAddress(pointer: bigint): RealAddress {
  // Below the vmalloc area, which starts 2^51 bytes further up (arch/powerpc/include/asm/book3s/64/radix.h).
  if (pointer < linearMapBase || pointer >= linearMapBase + 2n ** 51n) {
    throw new LogFormatError(`${hex(pointer)} is not a pointer into the linear map`)
  }
  return realAddress(pointer - linearMapBase)
}

/** The physical address of `SYMBOL(name)`; `undefined` when it is not exported. */
export function symbolAddress(
  vmcoreinfo: ReadonlyMap<string, string>,
  name: string,
): RealAddress | undefined {
  const value = vmcoreinfo.get(`SYMBOL(${name})`)
  return value === undefined || !/^[0-9a-f]{1,16}$/.test(value)
    ? undefined
    : physicalAddress(BigInt(`0x${value}`))
}
