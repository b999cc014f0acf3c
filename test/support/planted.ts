/**
 * Planted bugs: a copy of the sources with one line changed, in which a script must notice. A test that passes whatever
 * the code does is found by this, and by nothing else.
 */
import { execFile } from 'node:child_process'
import {
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { repositoryRoot } from './tools.ts'

/** One change of the sources. */
export interface Bug {
  /** Relative to the top of the repository. */
  readonly file: string
  /** Must occur exactly once, so that a bug cannot outlive the line it was made for. */
  readonly find: string
  readonly replace: string
}

export interface ScriptResult {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

export interface SourceCopy extends AsyncDisposable {
  /** Absolute. */
  readonly root: string
  /** Runs a TypeScript file of the copy, named relative to its top, in a process of its own. */
  run(script: string, ...args: readonly string[]): Promise<ScriptResult>
}

/** What scripts and tests are made of; nothing else of the repository is needed to run them. */
const copied = [
  'package.json',
  'packages',
  'services',
  'scripts',
  'test/boundary',
  'test/fixtures',
  'test/planted',
  'test/sequence',
  'test/simulate',
  'test/support',
  'test/truth/capture-memory',
]
const workspaceScope = '@fadump-lab'
const scriptTimeoutMs = 120_000

/** A copy of the sources, with `bug` if there is one. Throws when its line is not there, or there twice. */
export async function copySources(bug?: Bug): Promise<SourceCopy> {
  await using stack = new AsyncDisposableStack()
  const root = await realpath(await mkdtemp(join(tmpdir(), 'fadump-planted-')))
  stack.defer(() => rm(root, { recursive: true, force: true }))
  for (const path of copied) {
    await cp(join(repositoryRoot, path), join(root, path), {
      recursive: true,
      filter: (source) => basename(source) !== 'node_modules',
    })
  }
  await linkPackages(root)
  if (bug !== undefined) await plant(root, bug)
  const kept = stack.move()
  return {
    root,
    run: (script, ...args) => runScript(root, [script, ...args]),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

/**
 * Installed packages are those of the repository; workspaces are the copies. Node resolves links to where they lead, so
 * the copies' own imports find this directory and not the repository's.
 */
async function linkPackages(root: string): Promise<void> {
  const installed = join(repositoryRoot, 'node_modules')
  const own = join(root, 'node_modules')
  await mkdir(join(own, workspaceScope), { recursive: true })
  for (const name of await readdir(installed)) {
    if (!name.startsWith('.') && name !== workspaceScope) {
      await symlink(join(installed, name), join(own, name))
    }
  }
  for (const name of await readdir(join(installed, workspaceScope))) {
    const target = await realpath(join(installed, workspaceScope, name))
    const inCopy = target.replace(await realpath(repositoryRoot), root)
    await symlink(inCopy, join(own, workspaceScope, name))
  }
}

/** Plants `bug` below `root`; disposing of it brings the line back. Throws when it is not there, or there twice. */
export async function plant(root: string, { file, find, replace }: Bug): Promise<AsyncDisposable> {
  const path = join(root, file)
  const text = await readFile(path, 'utf8')
  const count = text.split(find).length - 1
  if (count !== 1) {
    throw new Error(
      `the line of the planted bug occurs ${count} times in ${file}; plant it anew where the code is now: ${find}`,
    )
  }
  await writeFile(
    path,
    text.replace(find, () => replace),
  )
  return { [Symbol.asyncDispose]: () => writeFile(path, text) }
}

function runScript(root: string, args: readonly string[]): Promise<ScriptResult> {
  const { NODE_TEST_CONTEXT: _runner, ...env } = process.env
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [...args],
      { cwd: root, env, timeout: scriptTimeoutMs },
      (error, stdout, stderr) => {
        const status = typeof error?.code === 'number' ? error.code : error === null ? 0 : -1
        resolve({ status, stdout, stderr })
      },
    )
  })
}
