/** A kernel's log as it stands in memory: also that of a kernel that has panicked, which answers nobody. */
import { partitionSpace, type KernelProfileName } from '@fadump-lab/shared/contracts'
import type { ReadMemory } from '@fadump-lab/shared/printk'
import type { MemoryStore } from '@fadump-lab/shared/store'
import { logOf } from '../../services/lpar-kernel/src/kernel/kernel-log.ts'

/** The lines, without time and level, one behind the other. */
export async function logInMemory(
  store: MemoryStore,
  partition: string,
  profile: KernelProfileName,
): Promise<string> {
  const space = partitionSpace('server-1', partition)
  const { log, layout } = logOf(profile)
  const read: ReadMemory = (address, length) => store.read(space, address, length)
  const lines = await log.read(await log.load(layout, read), read)
  return lines.map(({ text }) => `${text}\n`).join('')
}
