/** What a stored dump tells about CPUs. */
import { concat } from '@fadump-lab/shared/units'
import type { Room } from './room.ts'

/** CPU notes of the partition's stored dump: all of them lie in the first 256 KiB of the vmcore. */
export async function storedNotes(room: Room, partition: string): Promise<number> {
  const { lastDump } = await room.api.partition(partition)
  const { body } = await room.api.routes.downloadVmcore({
    params: { dump: lastDump ?? 'no-dump' },
    headers: { range: 'bytes=0-262143' },
  })
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  const text = new TextDecoder('latin1').decode(concat(chunks))
  return text.split('CORE\0').length - 1
}
