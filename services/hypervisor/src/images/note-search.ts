/**
 * Where the kernel's own VMCOREINFO note lies in the memory of an image. Its text is known only when the whole file has
 * been read, and the memory comes before that or after it; so places that look like the note are gathered while memory
 * streams by, and judged at the end.
 */
import { encodeVmcoreinfoNote, noteHeaderLayout, vmcoreinfoNoteName } from '@fadump-lab/shared/elf'
import type { ByteOrder } from '@fadump-lab/shared/layout'
import {
  asBuffer,
  equalBytes,
  fromAscii,
  isAligned,
  realAddress,
  type RealAddress,
} from '@fadump-lab/shared/units'

/** Places that are kept; a kernel has one, and its text may be quoted in a page cache here and there. */
const placesMax = 64
/** Name, padding and the first key, which every kernel since 2.6.24 writes first. */
const pattern = asBuffer(fromAscii(`${vmcoreinfoNoteName.padEnd(12, '\0')}OSRELEASE=`))

export class NoteSearch {
  readonly #places: bigint[] = []

  /** Looks through `bytes`, which lie at `address`. A place that is cut by the end of `bytes` is not seen. */
  look(address: RealAddress, bytes: Uint8Array): void {
    const haystack = asBuffer(bytes)
    let at = haystack.indexOf(pattern)
    while (at !== -1 && this.#places.length < placesMax) {
      const place = address + BigInt(at - noteHeaderLayout.size)
      if (at >= noteHeaderLayout.size && isAligned(place, 4n)) this.#places.push(place)
      at = haystack.indexOf(pattern, at + 1)
    }
  }

  /** The place that holds exactly this note: one on a page of the kernel before any other. */
  async find(note: {
    readonly text: string
    readonly order: ByteOrder
    readonly pageSize: number
    readonly read: (address: RealAddress, length: number) => Promise<Uint8Array>
  }): Promise<RealAddress | undefined> {
    const expected = encodeVmcoreinfoNote(note.text, note.order)
    const isOnPage = (place: bigint) => isAligned(place, BigInt(note.pageSize))
    const candidates = [
      ...this.#places.filter((place) => isOnPage(place)),
      ...this.#places.filter((place) => !isOnPage(place)),
    ]
    for (const place of candidates) {
      const found = await note.read(realAddress(place), expected.byteLength)
      if (equalBytes(found, expected)) return realAddress(place)
    }
    return undefined
  }
}
