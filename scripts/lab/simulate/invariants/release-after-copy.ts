/** I2: preserved memory is released only when a verified copy is on the disk for good, or somebody has given it up. */
import { fileOf, storedDirectories, type Invariant, type World } from '../world.ts'

export function releaseAfterCopy(world: World): Invariant {
  return {
    onParting: (dump) => {
      const record = world.ledger.dumps.get(dump)
      if (record?.givenUpFor !== undefined || record?.isRotten === true) return
      const lack = lackOf(world, dump)
      if (lack !== undefined) world.violate('I2', `firmware gives up dump ${dump}, but ${lack}`)
    },
  }
}

/** What would be wrong with the copy if the power were cut now. */
function lackOf(world: World, dump: string): string | undefined {
  const copy = storedDirectories(world, true).find(({ name }) => name === dump)
  if (copy === undefined) return 'no copy of it is on the disk for good'
  if (copy.dump?.status !== 'complete') {
    return `its copy is ${copy.dump?.status ?? 'without dump.json'} on the disk`
  }
  const manifest = fileOf(copy.directory, 'manifest.ndjson', true)
  if ((manifest?.durable.size ?? 0) === 0) return 'its manifest is not on the disk for good'
  const vmcore = fileOf(copy.directory, 'vmcore', true)
  if (vmcore === undefined) return 'its vmcore is not on the disk for good'
  return world.oracle.difference(dump, vmcore.durable, [])
}
