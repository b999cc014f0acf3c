import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { scripts, type ScriptDefinition } from './scripts.ts'
import { loadScripts } from './redis/script-source.ts'

const folder = new URL('lua/', import.meta.url)
const linesMax = 60

async function luaFiles(path: string): Promise<string[]> {
  return (await readdir(new URL(path, folder))).filter((name) => name.endsWith('.lua'))
}

for (const [name, definition] of Object.entries<ScriptDefinition>(scripts)) {
  test(`the header of ${definition.file} names the keys and arguments of ${name} in order`, async () => {
    const text = await readFile(new URL(definition.file, folder), 'utf8')
    const header = /^(?:-- .*\n)+/.exec(text)?.[0] ?? ''
    assert.match(header, /^-- Returns {2}/m)
    assert.deepEqual(namesIn(header, 'KEYS'), definition.keys)
    assert.deepEqual(namesIn(header, 'ARGV'), definition.args)
    const used = new Set([...text.matchAll(/\b(?:KEY|ARG)\.(\w+)/g)].map(([, used]) => used))
    const known = new Set<string | undefined>([...definition.keys, ...definition.args])
    assert.deepEqual(
      [...used].filter((used) => !known.has(used)),
      [],
      'every name is declared',
    )
    assert.doesNotMatch(text, /\bKEYS\[/, 'keys are used by name')
  })
}

/** The names of one header line and its continuation, without what stands in parentheses or after the semicolon. */
function namesIn(header: string, what: string): string[] {
  const lines = new RegExp(`^-- ${what} {2}(.*(?:\\n-- {7}.*)*)`, 'm').exec(header)?.[1] ?? ''
  const list = lines
    .replaceAll('\n--', '')
    .replaceAll(/\((?:[^()]|\([^()]*\))*\)/g, '')
    .split(';')[0]
  return (list ?? '').split(',').flatMap((name) => name.trim() || [])
}

test('every Lua file is one verb that a reader can hold, and is used', async () => {
  const verbs = await luaFiles('./')
  const files = Object.values(scripts).map(({ file }) => file)
  assert.deepEqual(verbs.toSorted(), files.toSorted())
  const parts = (await luaFiles('lib/')).map((part) => `lib/${part}`)
  const texts = await Promise.all(
    [...verbs, ...parts].map((file) => readFile(new URL(file, folder), 'utf8')),
  )
  for (const [index, text] of texts.entries()) {
    const file = [...verbs, ...parts][index]
    assert.ok(text.split('\n').length - 1 <= linesMax, `${file} is longer than ${linesMax} lines`)
  }
  const all = texts.join('\n')
  for (const part of parts) assert.ok(all.includes(`--- @include ${part.slice(0, -4)}\n`), part)
})

test('Redis is told which scripts only read and which may run at full memory', async () => {
  const sources = await loadScripts()
  assert.match(sources.get('locatePages')?.text ?? '', /^#!lua flags=no-writes\n/)
  assert.match(sources.get('commit')?.text ?? '', /^#!lua flags=allow-oom\n/)
  assert.match(sources.get('writePages')?.text ?? '', /^#!lua\n/)
  for (const { text } of sources.values()) assert.doesNotMatch(text, /@include/)
})
