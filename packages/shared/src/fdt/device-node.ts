/** A device tree in memory: nodes with ordered properties, as Open Firmware sees them. */
import { DeviceTreeError } from './format.ts'

/** `name` is empty for the root. Property and child order is kept by both codecs. */
export interface DeviceNode {
  readonly name: string
  readonly properties: ReadonlyMap<string, Uint8Array>
  readonly children: readonly DeviceNode[]
}

/** A range of memory that the kernel must not touch until it has copied the tree. */
export interface MemoryReservation {
  readonly address: bigint
  readonly size: bigint
}

export interface DeviceTree {
  readonly root: DeviceNode
  readonly reservations: readonly MemoryReservation[]
  /** `boot_cpuid_phys`. */
  readonly bootCpu: number
}

export const bootCpuDefault = 0

/** Builds a node; properties keep the order in which they are written. */
export function deviceNode(
  name: string,
  properties: Readonly<Record<string, Uint8Array>> | ReadonlyMap<string, Uint8Array> = {},
  children: readonly DeviceNode[] = [],
): DeviceNode {
  const entries = properties instanceof Map ? properties : new Map(Object.entries(properties))
  return { name, properties: entries, children }
}

/**
 * The node at an absolute path, or `undefined`. A component without `@` also matches a node with a unit address
 * (`/memory` finds `memory@0`), as in `of_find_node_by_path`. Throws `DeviceTreeError` for a relative path.
 */
export function findNode(root: DeviceNode, path: string): DeviceNode | undefined {
  if (!path.startsWith('/')) {
    throw new DeviceTreeError(`node path ${JSON.stringify(path)} is not absolute: start it with /`)
  }
  let node: DeviceNode | undefined = root
  for (const component of path.split('/').filter((part) => part !== '')) {
    node = node?.children.find((child) => matches(child.name, component))
  }
  return node
}

function matches(name: string, component: string): boolean {
  return name === component || (!component.includes('@') && name.split('@')[0] === component)
}
