/** Numbers as Linux reads them from files. */

const u32Max = 0xffff_ffff

/** `kstrtou32`, base 0: hexadecimal, octal or decimal; one newline at the end is no matter. `undefined`: none. */
export function kstrtou32(text: string): number | undefined {
  const digits = /^\+?(0x[0-9a-f]{1,8}|0[0-7]{0,11}|[1-9]\d{0,9})\n?$/i.exec(text)?.[1]
  if (digits === undefined) return undefined
  const value = /^0[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number(digits)
  return value <= u32Max ? value : undefined
}
