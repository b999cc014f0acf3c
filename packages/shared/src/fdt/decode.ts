/**
 * Blob → device tree. The blob may come from anywhere: every offset is checked before it is used, nesting is
 * bounded, and nothing is allocated that the blob does not pay for with bytes of its own.
 */
import { hex, toAscii, viewOf } from '../units/index.ts'
import type { DeviceNode, DeviceTree, MemoryReservation } from './device-node.ts'
import {
  deviceTreeBytesMax,
  DeviceTreeError,
  fdtCompatibleVersion,
  fdtHeaderLayout,
  fdtMagic,
  fdtVersion,
  nodeDepthMax,
  nodeNameBytesMax,
  propertyNameBytesMax,
  reservationLayout,
  reservationsMax,
  structureToken,
  type FdtHeader,
} from './format.ts'

/** The tree of `bytes`, which may be longer than the blob. Throws `DeviceTreeError` for anything malformed. */
export function decodeDeviceTree(bytes: Uint8Array): DeviceTree {
  const header = decodeHeader(bytes)
  const blob = bytes.subarray(0, header.totalSize)
  const structure = block(blob, 'structure block', [header.structureOffset, header.structureSize])
  const strings = block(blob, 'strings block', [header.stringsOffset, header.stringsSize])
  return {
    root: decodeStructure(structure, strings),
    reservations: decodeReservations(blob, header.reservationsOffset),
    bootCpu: header.bootCpu,
  }
}

function decodeHeader(bytes: Uint8Array): FdtHeader {
  if (bytes.byteLength < fdtHeaderLayout.size) {
    throw new DeviceTreeError(
      `a device tree starts with a header of ${fdtHeaderLayout.size} bytes, there are ${bytes.byteLength}`,
    )
  }
  const header = fdtHeaderLayout.decode(bytes, 'big')
  if (header.magic !== fdtMagic) {
    throw new DeviceTreeError(
      `magic is ${hex(header.magic, 8)}, a device tree has ${hex(fdtMagic, 8)}`,
    )
  }
  if (header.version < fdtVersion || header.compatibleVersion > fdtVersion) {
    throw new DeviceTreeError(
      `version ${header.version} (compatible with ${header.compatibleVersion}), supported are ${fdtVersion} and later versions compatible with ${fdtCompatibleVersion} or ${fdtVersion}`,
    )
  }
  if (header.totalSize > deviceTreeBytesMax || header.totalSize > bytes.byteLength) {
    throw new DeviceTreeError(
      `totalsize is ${header.totalSize}, there are ${bytes.byteLength} bytes and at most ${deviceTreeBytesMax} are allowed`,
    )
  }
  return header
}

function block(
  blob: Uint8Array,
  what: string,
  [offset, size]: readonly [number, number],
): Uint8Array {
  if (offset < fdtHeaderLayout.size || offset + size > blob.byteLength) {
    throw new DeviceTreeError(
      `the ${what} [${offset}, ${offset + size}) is not between the header and totalsize ${blob.byteLength}`,
    )
  }
  return blob.subarray(offset, offset + size)
}

function decodeReservations(blob: Uint8Array, start: number): MemoryReservation[] {
  const reservations: MemoryReservation[] = []
  for (let offset = start; ; offset += reservationLayout.size) {
    if (offset < fdtHeaderLayout.size || offset + reservationLayout.size > blob.byteLength) {
      throw new DeviceTreeError(
        `memory reservation block: no terminating entry before offset ${offset}`,
      )
    }
    const entry = reservationLayout.decode(blob, 'big', offset)
    if (entry.address === 0n && entry.size === 0n) return reservations
    if (reservations.length === reservationsMax) {
      throw new DeviceTreeError(`more than ${reservationsMax} memory reservations`)
    }
    reservations.push(entry)
  }
}

/** A node whose end has not been seen yet. */
interface OpenNode {
  readonly name: string
  readonly properties: Map<string, Uint8Array>
  readonly children: DeviceNode[]
}

function decodeStructure(structure: Uint8Array, strings: Uint8Array): DeviceNode {
  if (structure.byteLength % 4 !== 0) {
    throw new DeviceTreeError(
      `the structure block has ${structure.byteLength} bytes, not whole cells`,
    )
  }
  const open: OpenNode[] = []
  let root: DeviceNode | undefined
  let offset = 0
  for (;;) {
    const token = readWord(structure, offset)
    offset += 4
    switch (token) {
      case structureToken.nop:
        break
      case structureToken.beginNode: {
        if (root !== undefined) throw new DeviceTreeError('a second root node follows the first')
        const name = readName(structure, offset, nodeNameBytesMax)
        offset = align4(offset + name.length + 1)
        openNode(open, name)
        break
      }
      case structureToken.property:
        offset = readProperty({ structure, strings, offset }, open.at(-1))
        break
      case structureToken.endNode:
        root = closeNode(open)
        break
      case structureToken.end:
        if (root === undefined) throw new DeviceTreeError('the structure block ends inside a node')
        return root
      default:
        throw new DeviceTreeError(
          `structure block: unknown token ${hex(token)} at offset ${offset - 4}`,
        )
    }
  }
}

function openNode(open: OpenNode[], name: string): void {
  const parent = open.at(-1)
  if (open.length === nodeDepthMax) {
    throw new DeviceTreeError(`node ${name} is nested deeper than ${nodeDepthMax} levels`)
  }
  if ((parent === undefined) !== (name === '')) {
    throw new DeviceTreeError(
      parent === undefined
        ? `the root node is named ${name}`
        : `a child of ${parent.name || '/'} has no name`,
    )
  }
  open.push({ name, properties: new Map(), children: [] })
}

/** Ends the innermost node; returns it when it was the root. */
function closeNode(open: OpenNode[]): DeviceNode | undefined {
  const node = open.pop()
  if (node === undefined) throw new DeviceTreeError('structure block: a node ends that never began')
  const parent = open.at(-1)
  if (parent === undefined) return node
  parent.children.push(node)
  return undefined
}

interface PropertyPlace {
  readonly structure: Uint8Array
  readonly strings: Uint8Array
  readonly offset: number
}

/** Adds the property at `place` to `node`; returns the offset after it. */
function readProperty(place: PropertyPlace, node: OpenNode | undefined): number {
  const { structure, strings, offset } = place
  if (node === undefined) throw new DeviceTreeError('structure block: a property outside any node')
  const length = readWord(structure, offset)
  const name = readName(strings, readWord(structure, offset + 4), propertyNameBytesMax)
  const start = offset + 8
  if (start + length > structure.byteLength) {
    throw new DeviceTreeError(
      `property ${name} of ${node.name || '/'} has ${length} bytes, ${structure.byteLength - start} are left`,
    )
  }
  if (name === '' || node.properties.has(name)) {
    throw new DeviceTreeError(
      `node ${node.name || '/'} has ${name === '' ? 'a property without a name' : `two properties ${name}`}`,
    )
  }
  node.properties.set(name, structure.slice(start, start + length))
  return align4(start + length)
}

function readWord(structure: Uint8Array, offset: number): number {
  if (offset + 4 > structure.byteLength) {
    throw new DeviceTreeError(
      `the structure block of ${structure.byteLength} bytes has no end token`,
    )
  }
  return viewOf(structure).getUint32(offset)
}

function readName(bytes: Uint8Array, offset: number, lengthMax: number): string {
  const window = bytes.subarray(offset, offset + lengthMax + 1)
  const length = window.indexOf(0)
  if (length < 0) {
    throw new DeviceTreeError(`the name at offset ${offset} does not end within ${lengthMax} bytes`)
  }
  return toAscii(window.subarray(0, length))
}

function align4(offset: number): number {
  return (offset + 3) & ~3
}
