/** Where a report goes: for programs, for CI, for people. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { SoakReport } from '@fadump-lab/shared/contracts'
import { junitXml } from './junit.ts'
import { reportPage } from './page.ts'

/** Writes report.json, junit.xml and report.html; the paths. */
export async function writeReport(directory: string, report: SoakReport): Promise<string[]> {
  await mkdir(directory, { recursive: true })
  const files = [
    ['report.json', `${JSON.stringify(report, undefined, 1)}\n`],
    ['junit.xml', `${junitXml(report)}\n`],
    ['report.html', reportPage(report)],
  ] as const
  return Promise.all(
    files.map(async ([name, text]) => {
      const path = join(directory, name)
      await writeFile(path, text)
      return path
    }),
  )
}
