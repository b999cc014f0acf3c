/** Words that do not belong into the repository, each with what to write instead. */
import { isTest } from './sources.ts'

export interface BannedWord {
  readonly pattern: RegExp
  readonly instead: string
  /** A line that the pattern must catch, as the proof that it can. */
  readonly catches: string
  /** The files it is looked for in; this file is never looked at. */
  readonly where: (path: string) => boolean
}

const inCode = (path: string): boolean => path.endsWith('.ts')
const inProduct = (path: string): boolean =>
  inCode(path) && !isTest(path) && !path.startsWith('scripts/')
const everywhere = (path: string): boolean => path !== 'package-lock.json' && path !== 'LICENSE'
const outside = (prefix: string) => (path: string) => inProduct(path) && !path.startsWith(prefix)

export const bannedWords: readonly BannedWord[] = [
  {
    pattern: /\bMath\.random\b/,
    catches: 'Math.random()',
    instead: 'the Random of the runtime room, by parameter',
    where: inCode,
  },
  {
    pattern: /\bDate\.now\b|\bnew Date\(\s*\)/,
    catches: 'Date.now()',
    instead: 'the Clock of the runtime room, by parameter',
    where: outside('packages/shared/src/runtime/'),
  },
  {
    pattern: /\bBuffer\b/,
    catches: 'Buffer.from(bytes)',
    instead: 'Uint8Array and the helpers of units/bytes.ts',
    where: (path) =>
      path.startsWith('packages/shared/src/') &&
      inProduct(path) &&
      !path.endsWith('units/bytes.ts'),
  },
  {
    pattern: /\bas any\s*(?:[;,)\]}.]|$)/,
    catches: 'return value as any',
    instead: 'unknown and a narrowing',
    where: inCode,
  },
  {
    pattern: /@ts-(?:ignore|nocheck)\b/,
    catches: '// @ts-ignore',
    instead:
      'code that compiles; in a test that proves a refusal, @ts-expect-error with the reason',
    where: inCode,
  },
  {
    pattern: /@ts-expect-error/,
    catches: '// @ts-expect-error',
    instead: 'code that compiles',
    where: inProduct,
  },
  {
    pattern: /(?:oxlint|eslint)-disable(?!.*--\s*\S)/,
    catches: '// oxlint-disable-next-line max-params',
    instead: 'the directive with its reason after --',
    where: inCode,
  },
  {
    pattern: /\b(?:keep|kept) in sync\b/i,
    catches: '// Keep in sync with the other one',
    instead: 'one declaration from which the other place is derived',
    where: everywhere,
  },
  {
    pattern: /\b(?:TODO|FIXME|XXX|HACK)\b/,
    catches: '// TODO',
    instead: 'an issue',
    where: everywhere,
  },
  {
    pattern: /\b(?:test|it|describe|suite)\.(?:only|todo|skip)\b/,
    catches: "test.only('x')",
    instead: 'a test that runs, or { skip: without(...) } of test/support/tools.ts',
    where: inCode,
  },
  {
    pattern: /\bassert\.ok\(true\)/,
    catches: 'assert.ok(true)',
    instead: 'an assertion that can fail',
    where: inCode,
  },
  {
    pattern: /^\s*export \* /m,
    catches: "export * from './x.ts'",
    instead: 'named re-exports',
    where: inCode,
  },
  {
    pattern: /^(?:export )?let /m,
    catches: 'let count = 0',
    instead: 'const, or state in an object that the composition root makes',
    where: inProduct,
  },
  {
    pattern: /(?<![\w.])\/(?:work|farm|root|home\/\w+)\/[\w.]/,
    catches: 'see /home/somebody/notes',
    instead: 'a path relative to the repository',
    where: everywhere,
  },
  {
    pattern: /\bregistry\.[a-z]+js\.org\b|\b(?:deb|snapshot)\.debian\.org\b/,
    catches: ['registry', 'npmjs', 'org'].join('.'),
    instead: 'nothing: registries and mirrors are the machine’s own business',
    where: () => true,
  },
]
