/**
 * What a page has to look like, by the documented rule: a line of text that names seed and page, then numbers of Marsaglia's
 * xorshift32. Written without a look at the kernel that fills memory, so that each can find the other wrong.
 */

export const pageBytes = 65_536

const userLabel = 'fadump-lab seed=0x'
const captureLabel = 'fadump-lab capture kernel boot='
const labelBytesMax = 80

/** Who wrote a page, as its first line says. */
export type PageLabel =
  | { readonly by: 'user space'; readonly seed: number; readonly page: bigint }
  | { readonly by: 'capture kernel'; readonly boot: number; readonly page: bigint }

/** `undefined` for a page that says nothing about itself. */
export function labelOf(bytes: Uint8Array): PageLabel | undefined {
  const line = new TextDecoder('latin1').decode(bytes.subarray(0, labelBytesMax))
  const user = /^fadump-lab seed=0x([0-9a-f]{8}) page=0x([0-9a-f]+)\n/.exec(line)
  if (user !== null) {
    return { by: 'user space', seed: Number(`0x${user[1]}`), page: BigInt(`0x${user[2]}`) }
  }
  const capture = /^fadump-lab capture kernel boot=(\d+) page=0x([0-9a-f]+)\n/.exec(line)
  if (capture === null) return undefined
  return { by: 'capture kernel', boot: Number(capture[1]), page: BigInt(`0x${capture[2]}`) }
}

/** The 64 KiB that user space writes to page `page` (address / 64 KiB) for `seed`. */
export function userPage(seed: number, page: bigint): Uint8Array {
  const name = `${userLabel}${seed.toString(16).padStart(8, '0')}`
  return labelled(`${name} page=0x${page.toString(16)}\n`, { seed, page, period: pageBytes })
}

/** After so many bytes the numbers of a capture kernel's page begin again. */
const capturePeriod = 4096

/** The 64 KiB that the user space of capture boot `boot` has there. */
export function capturePage(boot: number, page: bigint): Uint8Array {
  const label = `${captureLabel}${boot} page=0x${page.toString(16)}\n`
  return labelled(label, { seed: ~boot, page, period: capturePeriod })
}

function labelled(
  label: string,
  { seed, page, period }: { readonly seed: number; readonly page: bigint; readonly period: number },
): Uint8Array {
  const bytes = new Uint8Array(pageBytes)
  const view = new DataView(bytes.buffer)
  const low = Number(page & 0xffff_ffffn)
  const high = Number(page >> 32n)
  let state =
    (Math.imul(seed ^ 0x9e37_79b9, 0x85eb_ca6b) ^ Math.imul(low + 1, 0xc2b2_ae35) ^ high) | 0
  if (state === 0) state = 1
  for (let offset = 0; offset < period; offset += 4) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    view.setUint32(offset, state, true)
  }
  for (let at = period; at < pageBytes; at += period) bytes.copyWithin(at, 0, period)
  bytes.set(new TextEncoder().encode(label))
  return bytes
}
