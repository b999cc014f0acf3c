/** What a process says of itself. */
import { readdir } from 'node:fs/promises'
import { hostname } from 'node:os'
import type { Vitals, vitalsRoutes } from '../contracts/index.ts'
import type { Handlers } from './exchange.ts'

/** Where Linux lists the descriptors of a process. */
const descriptorList = '/proc/self/fd'

/** `holds`: what this service keeps for others. */
export async function vitalsOf(holds: () => Promise<Vitals['holds']>): Promise<Vitals> {
  const held = await holds()
  const descriptors = await readdir(descriptorList).then(
    (names) => names.length,
    () => undefined,
  )
  const { rss, heapUsed } = process.memoryUsage()
  return {
    process: `${hostname()}:${process.pid}`,
    residentBytes: rss,
    heapBytes: heapUsed,
    ...(descriptors === undefined ? {} : { descriptors }),
    holds: held,
  }
}

export function vitalsHandlers(
  holds: () => Promise<Vitals['holds']>,
): Handlers<typeof vitalsRoutes> {
  return { getVitals: () => vitalsOf(holds) }
}
