/** Flattened device trees, version 17: what firmware hands to a kernel at boot. Pure; imports units and layout. */
export {
  bootCpuDefault,
  deviceNode,
  findNode,
  type DeviceNode,
  type DeviceTree,
  type MemoryReservation,
} from './device-node.ts'
export {
  emptyProperty,
  fromCells,
  fromCells64,
  fromText,
  fromTextList,
  toCells,
  toCells64,
  toText,
  toTextList,
} from './cells.ts'
export { encodeDeviceTree, type NewDeviceTree } from './encode.ts'
export { decodeDeviceTree } from './decode.ts'
export {
  deviceTreeBytesMax,
  DeviceTreeError,
  fdtHeaderLayout,
  fdtMagic,
  nodeDepthMax,
  nodeNameBytesMax,
  propertyNameBytesMax,
  reservationLayout,
  structureToken,
} from './format.ts'
