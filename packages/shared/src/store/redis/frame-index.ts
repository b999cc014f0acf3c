/**
 * Names of frames and spaces.
 *
 * The index of frames lies outside the frames' hash tags, so no script can change it together with a frame. A frame
 * enters it before and after a space is made, and leaves it only when it is seen empty, which is checked once more
 * afterwards; whoever lists frames ignores empty ones. So a frame that holds a space is listed, whoever dies when.
 */
import { invariant } from '../../units/index.ts'
import { framesKey, spacesKey } from '../keys.ts'
import type { RedisConnection } from './connection.ts'

/** Names that one command brings. */
const namesPerCall = 1000

export async function enterFrame(connection: RedisConnection, frame: string): Promise<void> {
  await connection.command('ZADD', framesKey(), 0, frame)
}

/** Takes `frame` out of the index if it holds no space. */
export async function leaveFrameIfEmpty(connection: RedisConnection, frame: string): Promise<void> {
  if (await holdsSpaces(connection, frame)) return
  await connection.command('ZREM', framesKey(), frame)
  if (await holdsSpaces(connection, frame)) await enterFrame(connection, frame)
}

export async function listFrames(connection: RedisConnection): Promise<string[]> {
  const frames = await allNames(connection, framesKey())
  const held = await Promise.all(frames.map((frame) => holdsSpaces(connection, frame)))
  return frames.filter((_, index) => held[index])
}

export async function listSpaces(connection: RedisConnection, frame: string): Promise<string[]> {
  return await allNames(connection, spacesKey(frame))
}

async function holdsSpaces(connection: RedisConnection, frame: string): Promise<boolean> {
  return (await connection.command('EXISTS', spacesKey(frame))) === 1
}

/** All members of a sorted set whose scores are equal: Redis keeps them in ascending order of their bytes. */
async function allNames(connection: RedisConnection, key: string): Promise<string[]> {
  const names: string[] = []
  for (;;) {
    const last = names.at(-1)
    const start = last === undefined ? '-' : `(${last}`
    const slice = await connection.command(
      'ZRANGE',
      key,
      start,
      '+',
      'BYLEX',
      'LIMIT',
      0,
      namesPerCall,
    )
    invariant(Array.isArray(slice), 'names come as a list')
    names.push(...slice.map(String))
    if (slice.length < namesPerCall) return names
  }
}
