/** What a kernel says of its reserved areas in `fadump_region` (debugfs), as 3.4 and 6.12 write it. */

export interface Reservation {
  /** From the CPU state section to behind the copy of boot memory with its header; absent without a reservation. */
  readonly area?: { readonly start: bigint; readonly end: bigint }
  /** Address of the parameter area; absent in kernels that have none. */
  readonly parameters?: bigint
}

/** Behind the copy of boot memory lies the crash info header with what belongs to it. */
const headerBytes = 0x1_0000n

export function parseReservation(text: string): Reservation {
  const start = found(/^CPU ?: ?\[0x([0-9a-f]+)-/m.exec(text)?.[1])
  const end = endOf(text)
  const parameters = found(/^\[0x([0-9a-f]+)-0x[0-9a-f]+\]: cmdline append/m.exec(text)?.[1])
  return {
    ...(start === undefined || end === undefined
      ? {}
      : { area: { start, end: end + headerBytes } }),
    ...(parameters === undefined ? {} : { parameters }),
  }
}

/** 3.4 writes the range of the copy, 6.12 for each region of boot memory where it goes and how long it is. */
function endOf(text: string): bigint | undefined {
  const range = found(/^DUMP: ?\[0x[0-9a-f]+-0x([0-9a-f]+)\]/m.exec(text)?.[1])
  if (range !== undefined) return range + 1n
  const regions = [
    ...text.matchAll(/^DUMP: ?Src: 0x[0-9a-f]+, Dest: 0x([0-9a-f]+), Size: 0x([0-9a-f]+)/gm),
  ].map(([, target = '0', size = '0']) => BigInt(`0x${target}`) + BigInt(`0x${size}`))
  return regions.toSorted((a, b) => (a < b ? -1 : 1)).at(-1)
}

function found(digits: string | undefined): bigint | undefined {
  return digits === undefined ? undefined : BigInt(`0x${digits}`)
}
