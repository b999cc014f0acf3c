/** Where in a blob the values of its properties stand; decoding a tree does not keep that. */
import { fdtHeaderLayout, structureToken } from '../fdt/index.ts'
import { viewOf } from '../units/index.ts'

/** The offset of each value, in the order of the blob, which `decodeDeviceTree` must have accepted. */
export function* propertyOffsets(blob: Uint8Array): Generator<number, undefined> {
  const view = viewOf(blob)
  const { structureOffset, structureSize } = fdtHeaderLayout.decode(blob, 'big')
  const end = structureOffset + structureSize
  // Tokens are aligned within the structure block, wherever that begins.
  const aligned = (offset: number): number =>
    structureOffset + ((offset - structureOffset + 3) & ~3)
  for (let offset = structureOffset; offset < end;) {
    const token = view.getUint32(offset)
    offset += 4
    if (token === structureToken.beginNode) {
      offset = aligned(blob.indexOf(0, offset) + 1)
    } else if (token === structureToken.property) {
      const value = offset + 8
      yield value
      offset = aligned(value + view.getUint32(offset))
    } else if (token === structureToken.end) {
      return undefined
    }
  }
  return undefined
}
