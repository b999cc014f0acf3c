/** Seeds of a copy of the sources, simulated in a process of its own: another copy is another set of modules. */
import { execFile } from 'node:child_process'
import { z } from 'zod'

/** Steps of a run: those of `./lab simulate`. */
const steps = 12
const searchTimeoutMs = 1_800_000

const shown = z.object({ seed: z.int(), invariant: z.string(), text: z.string() })
/** The seed that fails, and what does not hold. */
export type Shown = z.output<typeof shown>

/** What the first of `count` seeds shows that fails, below `root`; `undefined` when none does. Throws when the run itself breaks. */
export async function search(
  root: string,
  first: number,
  count: number,
): Promise<Shown | undefined> {
  const words = ['test/simulate/search-seeds.ts', ...[first, count, steps].map(String)]
  const { NODE_TEST_CONTEXT: _runner, ...env } = process.env
  const output = await new Promise<string>((resolve) => {
    execFile(
      process.execPath,
      words,
      { cwd: root, env, timeout: searchTimeoutMs },
      (error, stdout, stderr) => resolve(error === null ? stdout : stderr),
    )
  })
  const last = output.trim().split('\n').at(-1) ?? ''
  if (last === 'null') return undefined
  if (!last.startsWith('{')) throw new Error(`the search came to no end: ${output.slice(0, 600)}`)
  return shown.parse(JSON.parse(last))
}
