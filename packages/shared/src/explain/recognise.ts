/** What bytes are when they are not what somebody took them for. */
import { equalBytes, fromAscii, fromHex, isZero, toHex } from '../units/index.ts'

interface Known {
  readonly magic: Uint8Array
  readonly is: string
}

const known: readonly Known[] = [
  { magic: fromHex('d00dfeed'), is: 'a flattened device tree, explain it as fdt' },
  { magic: fromAscii('\x7fELF'), is: 'an ELF file, explain it as elf' },
  { magic: fromAscii('REGSAVE\0'), is: 'a register save area, explain it as regsave' },
  { magic: fromAscii('HPTESAVE'), is: 'an HPTE save area, which Linux does not read' },
  ...['FADMPINF', 'FNIPMDAF', 'FADMPSIG', 'GISPMDAF'].map((magic) => ({
    magic: fromAscii(magic),
    is: 'a crash info header, explain it as crash-info',
  })),
  {
    magic: fromAscii('makedumpfile'),
    is: "makedumpfile's flattened stream, make a file of it with makedumpfile -R",
  },
  {
    magic: fromAscii('KDUMP   '),
    is: 'a kdump-compressed dump, which has no ELF headers; crash reads it',
  },
  { magic: fromHex('1f8b'), is: 'gzip, decompress it first' },
  { magic: fromHex('28b52ffd'), is: 'zstd, decompress it first' },
  { magic: fromHex('fd377a585a00'), is: 'xz, decompress it first' },
  { magic: fromHex('01000000'), is: 'perhaps little-endian; firmware structures are big-endian' },
]

/** A known kind of data by its first bytes, with what to do about it; `undefined` for anything else. */
export function recognise(bytes: Uint8Array): string | undefined {
  const row = known.find(({ magic }) => equalBytes(bytes.subarray(0, magic.byteLength), magic))
  if (row !== undefined) return row.is
  if (toHex(bytes.subarray(0, 4)) === '00000001' && toHex(bytes.subarray(8, 12)) === '00000028') {
    return 'a dump memory structure, explain it as fdm'
  }
  return bytes.byteLength > 0 && isZero(bytes) ? 'nothing but zeros' : undefined
}
