/** The text of a script as Redis gets it: flags, names for keys and arguments, included parts, the file itself. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { invariant } from '../../units/index.ts'
import { leafPages } from '../leaf.ts'
import { pageSize } from '../memory-store.ts'
import { scripts, type ScriptDefinition } from '../scripts.ts'

export interface ScriptSource {
  readonly text: string
  /** The name under which Redis keeps a script that it has run once. */
  readonly sha1: string
}

export type ScriptSources = ReadonlyMap<string, ScriptSource>

const folder = new URL('../lua/', import.meta.url)
const includes = /^--- @include (lib\/[a-z-]+)$/gm

/** All scripts by name; reads the Lua files. */
export async function loadScripts(): Promise<ScriptSources> {
  const sources = new Map<string, ScriptSource>()
  for (const [name, definition] of Object.entries(scripts)) {
    const text = await assemble(definition)
    sources.set(name, { text, sha1: createHash('sha1').update(text).digest('hex') })
  }
  return sources
}

async function assemble(definition: ScriptDefinition): Promise<string> {
  const file = await readFile(new URL(definition.file, folder), 'utf8')
  const parts = new Map<string, string>()
  for (const [, part] of file.matchAll(includes)) {
    invariant(part !== undefined, 'an include names a file')
    parts.set(part, await readFile(new URL(`${part}.lua`, folder), 'utf8'))
  }
  return prelude(definition) + file.replaceAll(includes, (_, part: string) => parts.get(part) ?? '')
}

/** Redis takes the flags from the first line. */
function prelude({ keys, args, flags }: ScriptDefinition): string {
  const flagged = flags.length === 0 ? '' : ` flags=${flags.join(',')}`
  return [
    `#!lua${flagged}`,
    `local PAGE_SIZE, LEAF_PAGES = ${pageSize}, ${leafPages}`,
    `local KEY = { ${bind(keys, 'KEYS')} }`,
    `local ARG = { ${bind(args, 'ARGV')} }`,
    `local REST = ${args.length + 1}`,
    '',
  ].join('\n')
}

function bind(names: readonly string[], list: string): string {
  return names.map((name, index) => `${name} = ${list}[${index + 1}]`).join(', ')
}
