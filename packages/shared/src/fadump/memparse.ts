/** Memory sizes in boot arguments: `memparse` of `lib/cmdline.c`. */

/** Powers of two that the suffixes stand for. */
const suffixShift: Readonly<Record<string, bigint>> = {
  k: 10n,
  m: 20n,
  g: 30n,
  t: 40n,
  p: 50n,
  e: 60n,
}

/**
 * A number in decimal, octal (`0…`) or hexadecimal (`0x…`) with an optional suffix K, M, G, T, P, E of either case,
 * modulo 2⁶⁴, and the text behind it. Text without a number gives 0 and is left whole.
 */
export function memparse(text: string): { readonly value: bigint; readonly rest: string } {
  const match = /^(?:0x([0-9a-f]+)|(0[0-7]*)|([1-9][0-9]*))/i.exec(text)
  if (match === null) return { value: 0n, rest: text }
  const [digits, hexadecimal, octal] = match
  const number =
    hexadecimal === undefined && octal !== undefined && octal !== '0'
      ? BigInt(`0o${octal.slice(1)}`)
      : BigInt(digits)
  const rest = text.slice(digits.length)
  const shift = suffixShift[rest.charAt(0).toLowerCase()]
  return shift === undefined
    ? { value: BigInt.asUintN(64, number), rest }
    : { value: BigInt.asUintN(64, number << shift), rest: rest.slice(1) }
}
