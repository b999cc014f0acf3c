/** The pages: generated ones are fresh, links lead somewhere, decisions have their form. */
import assert from 'node:assert/strict'
import { existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { pages } from '../../scripts/docs/pages.ts'
import { repositoryRoot } from '../support/tools.ts'
import { readText, repositoryFiles } from './sources.ts'

const markdown = repositoryFiles().filter((path) => path.endsWith('.md'))

describe('generated pages are fresh (else: npm run docs)', () => {
  for (const [name, render] of Object.entries(pages)) {
    test(`docs/${name}`, () => assert.equal(readText(`docs/${name}`), render()))
  }
})

test('every relative link of a page leads to a file, and its anchor to a heading', () => {
  const broken = markdown.flatMap((page) =>
    linksOf(page)
      .filter((link) => !resolves(page, link))
      .map((link) => `${page}: ${link}`),
  )
  assert.deepEqual(broken, [])
})

test('every page of docs/ can be reached from docs/README.md', () => {
  const reached = reachableFrom('docs/README.md')
  const lonely = markdown.filter((path) => path.startsWith('docs/') && !reached.has(path))
  assert.deepEqual(lonely, [])
})

test('every decision is one page with the five sections, numbered without gaps', () => {
  const decisions = markdown.filter((path) => path.startsWith('docs/adr/'))
  const numbers = decisions.map((path) => Number(/\/(\d{4})-[a-z0-9-]+\.md$/.exec(path)?.[1]))
  assert.deepEqual(
    numbers,
    numbers.map((_, index) => index + 1),
  )
  for (const path of decisions) {
    const headings = [...readText(path).matchAll(/^## (.+)$/gm)].map(([, title]) => title)
    assert.deepEqual(
      headings,
      ['Status', 'Context', 'Decision', 'Consequences', 'Considered and rejected'],
      path,
    )
  }
})

/** The targets of the page's links that lead into the repository. */
function linksOf(page: string): readonly string[] {
  const text = readText(page)
    .replaceAll(/^```[\s\S]*?^```/gm, '')
    .replaceAll(/`[^`\n]*`/g, '')
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
}

function resolves(page: string, link: string): boolean {
  const [path = '', anchor] = link.split('#')
  const target = path === '' ? page : join(dirname(page), path)
  if (!existsSync(join(repositoryRoot, target))) return false
  return anchor === undefined || anchorsOf(target).includes(anchor)
}

/** The anchors that a reader of Markdown makes from the headings of a page. */
function anchorsOf(page: string): readonly string[] {
  return [...readText(page).matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

function reachableFrom(start: string): ReadonlySet<string> {
  const seen = new Set([start])
  for (const page of seen) {
    const targets = linksOf(page).map((link) => join(dirname(page), link.split('#')[0] ?? ''))
    for (const target of targets) if (isPage(target)) seen.add(target)
  }
  return seen
}

function isPage(path: string): boolean {
  const place = join(repositoryRoot, path)
  return path.endsWith('.md') && existsSync(place) && statSync(place).isFile()
}
