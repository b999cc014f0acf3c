/** A request as a fault sees it: which operation, of which partition. */
import {
  collectorRoutes,
  hypervisorRoutes,
  lparKernelRoutes,
  type Route,
} from '../contracts/index.ts'
import type { Fetch } from '../http/index.ts'
import { remembering } from '../runtime/index.ts'
import type { Occasion } from './fault-plan.ts'

interface Operation {
  readonly name: string
  readonly method: string
  readonly path: RegExp
}

const tables: readonly Readonly<Record<string, Route>>[] = [
  lparKernelRoutes,
  hypervisorRoutes,
  collectorRoutes,
]

/** Paths with fewer places to fill in come first: `/proc/vmcore` is no `/proc/:file`. */
const operations: readonly Operation[] = tables
  .flatMap((table) => Object.entries(table))
  .toSorted(([, a], [, b]) => openness(a.path) - openness(b.path))
  .map(([name, { method, path }]) => ({
    name,
    method,
    path: new RegExp(`^${path.replace(/:[a-z]+/g, '[^/]+').replace(/\*$/, '.+')}$`),
  }))

function openness(path: string): number {
  return path.split(':').length + (path.endsWith('*') ? 100 : 0)
}

export function exchangeOf(input: Parameters<Fetch>[0], init: Parameters<Fetch>[1]): Occasion {
  const { pathname } = new URL(input instanceof Request ? input.url : input)
  return occasionOf(`${init?.method ?? 'GET'} ${pathname}`)
}

const ofPartition = /\/partitions\/([^/]+)/
const ofDump = /\/dumps\/([^/]+)/
const ofFrame = /\/frames\/([^/]+)/

/** Requests that are remembered as occasions: services ask for the same again and again. */
const rememberedMax = 256

/** `what`: method and path. */
const occasionOf = remembering(rememberedMax, (what): Occasion => {
  const [method = '', pathname = ''] = what.split(' ', 2)
  const operation = operations.find((row) => row.method === method && row.path.test(pathname))
  return {
    what,
    ...(operation === undefined ? {} : { at: operation.name }),
    partition: firstOf(pathname, ofPartition) ?? partitionOfDump(firstOf(pathname, ofDump)),
    frame: firstOf(pathname, ofFrame),
  }
})

function firstOf(path: string, rule: RegExp): string | undefined {
  return rule.exec(path)?.[1]
}

/** `<partition>-<incarnation>-<crash number>` (contracts/ids.ts). */
export function partitionOfDump(dump: string | undefined): string | undefined {
  return dump === undefined ? undefined : /^(.+)-[^-]+-[^-]+$/.exec(dump)?.[1]
}
