/** Giving pages back in bounded slices, so that no other client of the frame waits long. */
import { pagePrefix, referencesKey, trashKey } from '../keys.ts'
import type { RedisConnection } from './connection.ts'

/** Takes at most `slicesMax` leaves out of the trash of a frame. */
export async function sweepTrash(
  connection: RedisConnection,
  frame: string,
  slicesMax: number,
): Promise<void> {
  for (let slice = 0; slice < slicesMax; slice += 1) {
    const [, left] = await connection.run('sweepTrash', {
      keys: {
        trash: trashKey(frame),
        references: referencesKey(frame),
        page: pagePrefix(frame),
      },
      args: {},
    })
    if (left === 0) return
  }
}
