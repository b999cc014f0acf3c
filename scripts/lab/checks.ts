/** The checks that need no running code: form, lint, types. Each is one program of node_modules. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

export interface Check {
  readonly name: string
  readonly program: string
  readonly args: readonly string[]
  /** What to do when it fails. */
  readonly remedy: string
}

export const checks: readonly Check[] = [
  { name: 'format', program: 'oxfmt', args: ['--check'], remedy: 'npm run fix' },
  { name: 'lint', program: 'oxlint', args: [], remedy: 'npm run fix, then by hand' },
  { name: 'types', program: 'tsc', args: ['--noEmit', '--pretty', 'false'], remedy: 'by hand' },
]

/** Runs `check` in the repository at `root`: `undefined` when it passes, else what it printed. */
export async function runCheck(check: Check, root: string): Promise<string | undefined> {
  const child = spawn(join(root, 'node_modules/.bin', check.program), check.args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [code, out, error] = await Promise.all([
    ended(child),
    text(child.stdout),
    text(child.stderr),
  ])
  return code === 0 ? undefined : `${out}${error}`.trimEnd()
}

/** The exit code; `null` when a signal ended it. Rejects when the program could not be started. */
function ended(child: ReturnType<typeof spawn>): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
}
