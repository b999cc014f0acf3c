/**
 * Every key of partition memory in Redis.
 *
 * All keys of a frame carry the hash tag `{frame}`, so a frame lies in one slot of a Redis Cluster and one script can
 * change it atomically. The only key beside them is the index of frames.
 *
 * ```text
 * memory:frames                          sorted set   names of frames (an index, see RedisMemoryStore)
 * memory:{f}:spaces                      sorted set   names of spaces
 * memory:{f}:space:<space>               hash         size epoch version pages incarnation changes stagings
 * memory:{f}:records:<space>             set          names of records
 * memory:{f}:record:<space>:<name>       string       value; a key of its own, so that Redis can tell their writers apart
 * memory:{f}:leaves:<space>              sorted set   numbers of the leaves that are not empty
 * memory:{f}:leaf:<space>@<inc>:<n>      hash         slot (0 … 4095) → page id; 256 MiB of the page table
 * memory:{f}:stagings:<space>            sorted set   staged leaf keys, by the time at which their lease ends
 * memory:{f}:staged:<space>@<inc>:<t>:<n> hash        as a leaf, of staging t: pages that no one sees yet
 * memory:{f}:trash                       set          keys of leaves whose references are to be given back
 * memory:{f}:references                  hash         page id → leaves and staged leaves that refer to it
 * memory:{f}:page:<id>                   string       64 KiB
 * ```
 *
 * `<inc>` is the incarnation of a space: a name can be used again while the memory of its predecessor is given back.
 */
import type { SpaceId } from './memory-store.ts'
import type { PageId } from './page-id.ts'

export const framesKey = (): string => 'memory:frames'

export const spacesKey = (frame: string): string => `memory:{${frame}}:spaces`
export const spaceKey = ({ frame, space }: SpaceId): string => `memory:{${frame}}:space:${space}`
export const recordsKey = ({ frame, space }: SpaceId): string =>
  `memory:{${frame}}:records:${space}`
/** Scripts append the name of a record. */
export const recordPrefix = ({ frame, space }: SpaceId): string =>
  `memory:{${frame}}:record:${space}:`
export const recordKey = (id: SpaceId, name: string): string => `${recordPrefix(id)}${name}`
export const leavesKey = ({ frame, space }: SpaceId): string => `memory:{${frame}}:leaves:${space}`
export const stagingsKey = ({ frame, space }: SpaceId): string =>
  `memory:{${frame}}:stagings:${space}`

/** Scripts append `<incarnation>:<leaf number>`. */
export const leafPrefix = ({ frame, space }: SpaceId): string => `memory:{${frame}}:leaf:${space}@`
/** Scripts append `<incarnation>:<staging>:<leaf number>`. */
export const stagedPrefix = ({ frame, space }: SpaceId): string =>
  `memory:{${frame}}:staged:${space}@`

export const trashKey = (frame: string): string => `memory:{${frame}}:trash`
export const referencesKey = (frame: string): string => `memory:{${frame}}:references`
/** Scripts append the page id. */
export const pagePrefix = (frame: string): string => `memory:{${frame}}:page:`
export const pageKey = (frame: string, id: PageId): string => `${pagePrefix(frame)}${id}`
