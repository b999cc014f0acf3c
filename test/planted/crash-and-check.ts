/** Crashes a small partition of each profile named and prints how much of the first kernel's memory the vmcores hold. */
import { join } from 'node:path'
import { z } from 'zod'
import { startRoom } from '../support/room.ts'
import { checkContent, Vmcore, type AddressRange } from '../support/vmcore.ts'

const MiB = 2 ** 20
const seed = 42
const populatedBytes = 12 * MiB

await using room = await startRoom()
const found: Record<string, unknown> = {}
for (const profile of z
  .array(z.enum(['v5', 'modern']))
  .min(1)
  .parse(process.argv.slice(2))) {
  await room.api.boot({
    id: profile,
    profile,
    memoryBytes: 1024 * MiB,
    processors: 2,
    content: { seed, populatedBytes },
  })
  const dump = await room.api.crash(profile)
  await using core = await Vmcore.open(join(room.dumpRoot, profile, dump.id, 'vmcore'))
  const [bootChunk] = core.loads
  const populated = await core.populated()
  const isLow = ({ address }: AddressRange) => address < (bootChunk?.size ?? 0n)
  found[profile] = {
    status: dump.status,
    /** Right pages of content in boot memory, which was copied, and elsewhere, where they stayed. */
    low: await checkContent(core, seed, populated.filter(isLow)),
    high: await checkContent(
      core,
      seed,
      populated.filter((range) => !isLow(range)),
    ),
  }
}
process.stdout.write(`${JSON.stringify(found)}\n`)
