/** A flattened device tree: header, reservations, then node by node as a tree. */
import {
  decodeDeviceTree,
  fdtHeaderLayout,
  fdtMagic,
  reservationLayout,
  type DeviceNode,
} from '../fdt/index.ts'
import { fromHex } from '../units/index.ts'
import { cpuListText, describeHidden, isShown } from './cpus.ts'
import type { CpuChoice, Field, Part } from './explanation.ts'
import { expected, layoutFields, requireMagic, restRemarks } from './fields.ts'
import { isStructured, propertyMeaning, propertyParts, propertyText } from './fdt-properties.ts'
import { propertyOffsets } from './fdt-offsets.ts'

const magic = { what: 'the magic of a device tree blob', bytes: [fromHex(fdtMagic.toString(16))] }

/** Throws `DeviceTreeError` for a blob that is malformed anywhere. */
export function* fdtParts(bytes: Uint8Array, choice: CpuChoice): Generator<Part> {
  requireMagic(bytes, magic)
  const fields = layoutFields(fdtHeaderLayout, bytes, { order: 'big', path: '' })
  const { totalSize, reservationsOffset } = fdtHeaderLayout.decode(bytes, 'big')
  yield { title: fdtHeaderLayout.name, fields }
  const { root, reservations } = decodeDeviceTree(bytes)
  for (const index of reservations.keys()) {
    yield {
      title: `${reservationLayout.name} reservations[${index}]`,
      fields: layoutFields(reservationLayout, bytes, {
        order: 'big',
        at: reservationsOffset + index * reservationLayout.size,
        path: `reservations[${index}].`,
        meanings: { address: () => 'the kernel must leave this range alone' },
      }),
    }
  }
  const walk = { choice, offsets: propertyOffsets(bytes), cpus: [] }
  yield* nodeParts(root, { path: '', depth: 0, parent: undefined }, walk)
  yield* cpuRemarks(walk)
  const remarks = restRemarks(bytes.subarray(totalSize), totalSize)
  if (remarks.length > 0) yield { title: 'behind the blob', fields: [], remarks }
}

interface Walk {
  readonly choice: CpuChoice
  /** Where the values stand, in the order of the blob, which is that of the walk. */
  readonly offsets: Iterator<number, undefined>
  /** CPUs met so far. */
  readonly cpus: number[]
}

export interface NodePlace {
  /** Of the parent, without a slash at its end. */
  readonly path: string
  readonly depth: number
  readonly parent: DeviceNode | undefined
}

function* nodeParts(node: DeviceNode, place: NodePlace, walk: Walk): Generator<Part> {
  const path = place.parent === undefined ? '' : `${place.path}/${node.name}`
  const offsets = [...node.properties.keys()].map(() => walk.offsets.next().value ?? 0)
  const cpu = cpuOf(node)
  const isVisible = cpu === undefined || isShown(walk.choice, cpu, walk.cpus.push(cpu) - 1)
  if (isVisible) {
    const fields = [...node.properties].map(([name, bytes], index) =>
      propertyField({ name, bytes, offset: offsets[index] ?? 0 }, node, { ...place, path }),
    )
    yield { title: path === '' ? '/' : path, fields, depth: place.depth }
    for (const [index, [name, bytes]] of [...node.properties].entries()) {
      const base = offsets[index] ?? 0
      yield* propertyParts(name, bytes, { base, path: `${path}/${name}/`, depth: place.depth + 1 })
    }
  }
  const below = { path, depth: place.depth + 1, parent: node }
  for (const child of node.children) {
    const parts = nodeParts(child, below, walk)
    if (isVisible) yield* parts
    else for (const _part of parts);
  }
}

function propertyField(
  property: Pick<Field, 'name' | 'bytes' | 'offset'>,
  node: DeviceNode,
  place: NodePlace,
): Field {
  const { name, bytes } = property
  const whole = isStructured(name)
    ? { bytes: new Uint8Array(0), value: `${bytes.byteLength} bytes, told below` }
    : { bytes, value: propertyText(bytes) }
  return {
    ...property,
    ...whole,
    path: `${place.path}/${name}`,
    meaning: propertyMeaning({ name, bytes, node, parent: place.parent }),
  }
}

/** The number of a node below /cpus that is a CPU. */
function cpuOf({ name, properties }: DeviceNode): number | undefined {
  const type = properties.get('device_type')
  if (type === undefined || propertyText(type) !== '"cpu"') return undefined
  const unit = /@([\da-f]{1,8})$/.exec(name)?.[1]
  return unit === undefined ? undefined : Number.parseInt(unit, 16)
}

function* cpuRemarks({ choice, cpus }: Walk): Generator<Part> {
  const remarks = describeHidden(choice, cpus)
  if (remarks.length > 0) yield { title: '/cpus', fields: [], remarks }
  if (typeof choice === 'object' && !cpus.includes(choice.only)) {
    throw expected(0, `CPU ${choice.only} below /cpus`, `CPUs ${cpuListText(cpus)}`)
  }
}
