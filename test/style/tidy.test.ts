/** Our own laws, where neither the compiler nor the linter can hold them. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { z } from 'zod'
import { missingPlatformPackages, readLock } from '../../scripts/complete-lock.ts'
import { capabilities, repositoryRoot } from '../support/tools.ts'
import { bannedWords } from './banned-words.ts'
import { places, pureRooms, roomGraph } from './room-graph.ts'
import { importsOf, isTest, readText, repositoryFiles, sourceFiles } from './sources.ts'

const rooms = 'packages/shared/src'

/** How many lines a file may have, by the first row that fits its path. */
const lineLimits: readonly (readonly [fits: RegExp, lines: number])[] = [
  [/\.(?:test|conformance)\.ts$|^test\/.*\.ts$/, 500],
  [/\.ts$|^lab$|^\.ci\//, 400],
  [/\.lua$/, 60],
]

test('a file is short enough to be one idea', () => {
  const long = repositoryFiles().flatMap((path) => {
    const limit = lineLimits.find(([fits]) => fits.test(path))?.[1] ?? Infinity
    const lines = limit === Infinity ? 0 : readText(path).trimEnd().split('\n').length
    return lines > limit
      ? [`${path}: ${lines} lines, the limit is ${limit}: which two ideas are in it?`]
      : []
  })
  assert.deepEqual(long, [])
})

test('the doc of a module stands before its imports', () => {
  const late = sourceFiles().filter((path) =>
    /^import [^;]*?\n\/\*\*[^;]*?\*\/\nimport /.test(readText(path)),
  )
  assert.deepEqual(late, [])
})

describe('words that do not belong here', () => {
  const files = repositoryFiles().filter((path) => path !== 'test/style/banned-words.ts')
  for (const { pattern, catches, instead, where } of bannedWords) {
    test(`${pattern.source} gives way to: ${instead}`, () => {
      assert.match(catches, pattern)
      const found = files.filter(where).flatMap((path) => occurrences(path, pattern))
      assert.deepEqual(found, [])
    })
  }
})

function occurrences(path: string, pattern: RegExp): readonly string[] {
  return readText(path)
    .split('\n')
    .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : []))
}

describe('rooms', () => {
  test('every room imports the rooms that the graph declares, no fewer and no more', () => {
    assert.deepEqual(actualGraph(), sortedGraph(roomGraph))
  })

  test('the graph has no cycle', () => {
    for (const room of Object.keys(roomGraph)) {
      const below = reachable(room)
      assert.ok(!below.has(room), `${room} reaches itself through ${[...below].join(', ')}`)
    }
  })

  test('pure rooms build on pure rooms only', () => {
    const impure = pureRooms.flatMap((room) =>
      [...reachable(room)]
        .filter((below) => !pureRooms.includes(below))
        .map((below) => `${room} → ${below}`),
    )
    assert.deepEqual(impure, [])
  })

  test('a room is entered by its index.ts', () => {
    const deep = roomFiles().flatMap(([room, path]) =>
      crossings(room, path)
        .filter(([, specifier]) => !specifier.endsWith('/index.ts'))
        .map(([, specifier]) => `${path}: ${specifier}`),
    )
    assert.deepEqual(deep, [])
  })

  test('packages/shared exports every room on disk and nothing else', () => {
    const manifest = z.looseObject({ exports: z.record(z.string(), z.string()) })
    const { exports } = manifest.parse(JSON.parse(readText('packages/shared/package.json')))
    const onDisk = readdirSync(join(repositoryRoot, rooms)).toSorted()
    const expected = onDisk.map((room) => [`./${room}`, `./src/${room}/index.ts`])
    assert.deepEqual(Object.entries(exports).toSorted(byName), expected)
    assert.deepEqual(Object.keys(roomGraph).toSorted(), onDisk)
  })

  test('every TypeScript file lies in a known place', () => {
    const prefixes = places
      .flatMap((place) => Object.keys(roomGraph).map((room) => place.replace('<room>', room)))
      .flatMap((place) => ['src', 'test'].map((part) => place.replace('<part>', part)))
    const homeless = sourceFiles().filter(
      (path) => !prefixes.some((prefix) => path.startsWith(prefix)),
    )
    assert.deepEqual(homeless, [])
  })
})

/** The product files of the rooms, as pairs of room and path. */
function roomFiles(): readonly (readonly [room: string, path: string])[] {
  return sourceFiles()
    .filter((path) => path.startsWith(`${rooms}/`) && !isTest(path))
    .map((path) => [roomOf(path), path])
}

/** The room that `path` lies in; outside of all rooms, the path itself. */
function roomOf(path: string): string {
  const [, room = path] = /^packages\/shared\/src\/([^/]+)\//.exec(path) ?? []
  return room
}

/** What the file imports from other rooms, as pairs of that room and the specifier. */
function crossings(
  room: string,
  path: string,
): readonly (readonly [room: string, specifier: string])[] {
  const relative = importsOf(readText(path)).filter((specifier) => specifier.startsWith('.'))
  return relative.flatMap((specifier) => {
    const target = roomOf(join(path, '..', specifier))
    return target === room ? [] : [[target, specifier] as const]
  })
}

function actualGraph(): Readonly<Record<string, readonly string[]>> {
  const edges = Map.groupBy(
    roomFiles().flatMap(([room, path]) => [
      { room, below: undefined },
      ...crossings(room, path).map(([below]) => ({ room, below })),
    ]),
    ({ room }) => room,
  )
  return sortedGraph(
    Object.fromEntries(
      [...edges].map(([room, rows]) => [
        room,
        [...new Set(rows.flatMap(({ below }) => below ?? []))],
      ]),
    ),
  )
}

function sortedGraph(
  graph: Readonly<Record<string, readonly string[]>>,
): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(
    Object.entries(graph)
      .map(([room, below]) => [room, below.toSorted()] as const)
      .toSorted(byName),
  )
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1
}

/** The rooms below `room`, at any depth. */
function reachable(room: string, seen = new Set<string>()): ReadonlySet<string> {
  for (const below of roomGraph[room] ?? []) {
    if (seen.has(below)) continue
    seen.add(below)
    reachable(below, seen)
  }
  return seen
}

describe('the lock file', () => {
  const lock = readLock(join(repositoryRoot, 'package-lock.json'))

  test('names no place on the network', () => {
    const addressed = Object.entries(lock.packages).filter(
      ([, entry]) => entry.resolved?.includes('://') === true,
    )
    assert.deepEqual(
      addressed.map(([path]) => path),
      [],
    )
  })

  test('holds the optional packages of every platform (else: npm run lock)', () => {
    assert.deepEqual(missingPlatformPackages(lock), {})
  })
})

test('.ci/run installs the Debian package of every tool that a test may ask for', () => {
  const installed = /^packages=\(([^)]*)\)/m.exec(readText('.ci/run'))?.[1]?.split(' ') ?? []
  const wanted = Object.values(capabilities).flatMap(
    ({ remedy }) => /^apt-get install (\S+)/.exec(remedy)?.[1] ?? [],
  )
  assert.deepEqual(
    wanted.filter((name) => !installed.includes(name)),
    [],
  )
})

test('the compiler is as strict as we say', () => {
  const options = [
    'strict',
    'noUncheckedIndexedAccess',
    'exactOptionalPropertyTypes',
    'erasableSyntaxOnly',
    'verbatimModuleSyntax',
  ]
  const { compilerOptions } = z
    .looseObject({ compilerOptions: z.record(z.string(), z.unknown()) })
    .parse(JSON.parse(readText('tsconfig.json')))
  assert.deepEqual(
    options.filter((option) => compilerOptions[option] !== true),
    [],
  )
})
