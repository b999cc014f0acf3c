/** The files of the repository as git sees them: what is tracked, and what would be. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { repositoryRoot } from '../support/tools.ts'

/** Paths relative to the top of the repository, with `/`, sorted. */
export function repositoryFiles(): readonly string[] {
  const listing = execFileSync(
    'git',
    ['ls-files', '-z', '--cached', '--others', '--exclude-standard'],
    {
      cwd: repositoryRoot,
      encoding: 'utf8',
    },
  )
  const paths = new Set(listing.split('\0').filter((path) => path !== ''))
  return [...paths].filter((path) => existsSync(join(repositoryRoot, path))).toSorted()
}

/** Those of our TypeScript files. */
export function sourceFiles(): readonly string[] {
  return repositoryFiles().filter((path) => path.endsWith('.ts'))
}

/** Tests and what only tests use. */
export function isTest(path: string): boolean {
  return /\.(?:test|conformance)\.ts$|(?:^|\/)(?:testing|conformance)\/|^(?:services\/[^/]+\/)?test\//.test(
    path,
  )
}

export function readText(path: string): string {
  return readFileSync(join(repositoryRoot, path), 'utf8')
}

/** The module specifiers that `source` imports, re-exports or loads with a literal `import()`. */
export function importsOf(source: string): readonly string[] {
  const specifier =
    /(?:^(?:import|export)\b[^'"`;]*?\bfrom\s*|^import\s*|\bimport\(\s*)['"]([^'"]+)['"]/gm
  return [...source.matchAll(specifier)].map(([, name = '']) => name)
}
