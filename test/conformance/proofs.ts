/** Which tests beside the checks prove a row of the checklist as well: by their titles. */
import { isTest, readText, sourceFiles } from '../style/sources.ts'

/**
 * Files by checklist id. A title proves a row when it starts with the row's id; it may start with several, `C072 C073 …`.
 * Titles are literals, also where a table of cases holds them.
 */
export function collectProofs(): ReadonlyMap<string, readonly string[]> {
  const pairs = sourceFiles()
    .filter((path) => isTest(path) && !path.startsWith('test/conformance/'))
    .flatMap((path) => idsInTitles(readText(path)).map((id) => ({ id, path })))
  const byId = Map.groupBy(pairs, ({ id }) => id)
  return new Map([...byId].map(([id, rows]) => [id, [...new Set(rows.map(({ path }) => path))]]))
}

/** The ids at the start of string literals of `source`. */
export function idsInTitles(source: string): readonly string[] {
  const title = /['"`]((?:C\d{3}(?:,| and)? )+)/g
  return [...source.matchAll(title)].flatMap(([, ids = '']) => ids.match(/C\d{3}/g) ?? [])
}
