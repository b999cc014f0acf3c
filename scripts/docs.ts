/** Writes the generated pages of docs/: `npm run docs`. A test fails while one of them is stale. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pages } from './docs/pages.ts'

const docs = join(import.meta.dirname, '../docs')
for (const [name, render] of Object.entries(pages)) {
  writeFileSync(join(docs, name), render())
  console.log(`docs/${name}`)
}
