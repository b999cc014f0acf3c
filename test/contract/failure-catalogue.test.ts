/** docs/faults.md promises a test or a limit for every failure of the catalogue: both have to be there. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import test, { suite } from 'node:test'
import { faults } from '@fadump-lab/shared/contracts'
import { repositoryRoot } from '../support/tools.ts'
import { readText } from '../style/sources.ts'
import { failureCatalogue } from './failure-catalogue.ts'

const rowsMax = 70
const rows = Object.entries(failureCatalogue)

suite('the catalogue of failures', () => {
  test('has rows 1 to 70, each with a test or a limit', () => {
    assert.deepEqual(
      rows.map(([number]) => Number(number)),
      Array.from({ length: rowsMax }, (_, index) => index + 1),
    )
    const bare = rows.filter(
      ([, { tests = [], limit }]) => tests.length === 0 && limit === undefined,
    )
    assert.deepEqual(bare, [])
  })

  test('names tests that exist, by their titles', () => {
    const missing = rows.flatMap(([number, { tests = [] }]) =>
      tests.flatMap(([file, title]) => {
        const isThere = existsSync(join(repositoryRoot, file)) && readText(file).includes(title)
        return isThere && title.length > 4 ? [] : [`${number}: ${file}: ${title}`]
      }),
    )
    assert.deepEqual(missing, [])
  })

  test('names limits that docs/limits.md tells', () => {
    const limits = readText('docs/limits.md').replaceAll(/\s+/g, ' ')
    const untold = rows.flatMap(([number, { limit }]) =>
      limit === undefined || limits.includes(limit) ? [] : [`${number}: ${limit}`],
    )
    assert.deepEqual(untold, [])
  })

  test('every fault of the registry names rows that are there', () => {
    for (const [name, { catalogue }] of faults) {
      for (const number of catalogue) {
        assert.ok(failureCatalogue[number] !== undefined, `${name}: row ${number}`)
      }
    }
  })
})
