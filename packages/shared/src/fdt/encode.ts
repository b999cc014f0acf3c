/**
 * Device tree → blob, laid out as dtc does: header, memory reservations, structure, strings.
 * A property name stands once in the strings block.
 */
import { concat, fromAscii } from '../units/index.ts'
import type { DeviceNode, DeviceTree } from './device-node.ts'
import { bootCpuDefault } from './device-node.ts'
import { BlockWriter } from './block-writer.ts'
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
} from './format.ts'

/** A tree to encode; without reservations and boot CPU there are none and 0. */
export type NewDeviceTree = Pick<DeviceTree, 'root'> & Partial<DeviceTree>

interface Draft {
  readonly structure: BlockWriter
  readonly strings: Map<string, number>
  stringsSize: number
}

/** The blob. Throws `DeviceTreeError` for names or sizes that the format or a bound of this room excludes. */
export function encodeDeviceTree(tree: NewDeviceTree): Uint8Array {
  const reservations = tree.reservations ?? []
  if (reservations.length > reservationsMax) {
    throw new DeviceTreeError(
      `${reservations.length} memory reservations, at most ${reservationsMax} are allowed`,
    )
  }
  if (tree.root.name !== '') {
    throw new DeviceTreeError(
      `the root node has no name, this one is ${JSON.stringify(tree.root.name)}`,
    )
  }
  const draft: Draft = { structure: new BlockWriter(), strings: new Map(), stringsSize: 0 }
  appendNode(draft, tree.root, 1)
  draft.structure.word(structureToken.end)

  const reservationBlock = concat(
    [...reservations, { address: 0n, size: 0n }].map((entry) =>
      reservationLayout.encode(entry, 'big'),
    ),
  )
  const structure = draft.structure.bytes()
  const strings = concat([...draft.strings.keys()].map((name) => fromAscii(`${name}\0`)))
  const structureOffset = fdtHeaderLayout.size + reservationBlock.byteLength
  const stringsOffset = structureOffset + structure.byteLength
  const totalSize = stringsOffset + strings.byteLength
  if (totalSize > deviceTreeBytesMax) {
    throw new DeviceTreeError(
      `the blob takes ${totalSize} bytes, at most ${deviceTreeBytesMax} are allowed`,
    )
  }
  const header = fdtHeaderLayout.encode(
    {
      magic: fdtMagic,
      totalSize,
      structureOffset,
      stringsOffset,
      reservationsOffset: fdtHeaderLayout.size,
      version: fdtVersion,
      compatibleVersion: fdtCompatibleVersion,
      bootCpu: tree.bootCpu ?? bootCpuDefault,
      stringsSize: strings.byteLength,
      structureSize: structure.byteLength,
    },
    'big',
  )
  return concat([header, reservationBlock, structure, strings])
}

function appendNode(draft: Draft, node: DeviceNode, depth: number): void {
  if (depth > nodeDepthMax) {
    throw new DeviceTreeError(
      `node ${node.name} is ${depth} levels deep, at most ${nodeDepthMax} are allowed`,
    )
  }
  draft.structure.word(structureToken.beginNode)
  draft.structure.padded(fromAscii(`${node.name}\0`))
  for (const [name, value] of node.properties) appendProperty(draft, name, value)
  const names = new Set<string>()
  for (const child of node.children) {
    checkNodeName(child.name, node.name)
    if (names.has(child.name)) {
      throw new DeviceTreeError(`node ${node.name || '/'} has two children named ${child.name}`)
    }
    names.add(child.name)
    appendNode(draft, child, depth + 1)
  }
  draft.structure.word(structureToken.endNode)
}

function checkNodeName(name: string, parent: string): void {
  if (!/^[0-9A-Za-z,._+@-]+$/.test(name) || name.length > nodeNameBytesMax) {
    throw new DeviceTreeError(
      `${JSON.stringify(name)} in ${parent || '/'} is no node name: 1 to ${nodeNameBytesMax} of 0-9 A-Z a-z , . _ + - @`,
    )
  }
}

function appendProperty(draft: Draft, name: string, value: Uint8Array): void {
  if (!/^[0-9A-Za-z,._+?#/-]+$/.test(name) || name.length > propertyNameBytesMax) {
    throw new DeviceTreeError(
      `${JSON.stringify(name)} is no property name: 1 to ${propertyNameBytesMax} of 0-9 A-Z a-z , . _ + - ? # /`,
    )
  }
  let nameOffset = draft.strings.get(name)
  if (nameOffset === undefined) {
    nameOffset = draft.stringsSize
    draft.strings.set(name, nameOffset)
    draft.stringsSize += name.length + 1
  }
  draft.structure.word(structureToken.property)
  draft.structure.word(value.byteLength)
  draft.structure.word(nameOffset)
  draft.structure.padded(value)
}
