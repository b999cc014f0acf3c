/** The launcher in a clone of its own, with an npm that only writes down what it was asked. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmod,
  copyFile,
  mkdir,
  mkdtempDisposable,
  readFile,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { arch, platform, tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { repositoryRoot } from '../support/tools.ts'

const oldNode = '#!/bin/sh\n[ "$1" = --version ] && echo v20.19.2 && exit 0\nexit 1\n'
const ownPackage = `node-${platform()}-${arch()}`

/** npm install brings the Node of this process, npm ci an empty node_modules; both leave a line in npm.log. */
const fakeNpm = `#!/bin/sh
echo "$*" >> npm.log
case $1 in
  install)
    for word; do [ "$previous" = --prefix ] && prefix=$word; previous=$word; done
    mkdir -p "$prefix/node_modules/${ownPackage}/bin"
    ln -s '${process.execPath}' "$prefix/node_modules/${ownPackage}/bin/node" ;;
  ci) rm -rf node_modules && mkdir node_modules ;;
esac
`

interface CloneOptions {
  /** The `node` on the PATH: a script, or the Node of this process. */
  readonly node?: string
  readonly npm?: string
}

/** A clone with the launcher and a scripts/lab.ts that prints its arguments as JSON and ends with 7. */
async function aClone({ node, npm = fakeNpm }: CloneOptions = {}) {
  const directory = await mkdtempDisposable(join(tmpdir(), 'lab-launcher-'))
  const clone = join(directory.path, 'clone')
  const bin = join(directory.path, 'bin')
  await Promise.all([mkdir(join(clone, 'scripts'), { recursive: true }), mkdir(bin)])
  await copyFile(join(repositoryRoot, 'lab'), join(clone, 'lab'))
  await writeFile(join(clone, 'package-lock.json'), '{}\n')
  const program =
    'const words: string[] = process.argv.slice(2)\nconsole.log(JSON.stringify(words))\nprocess.exitCode = 7\n'
  await writeFile(join(clone, 'scripts/lab.ts'), program)
  await executable(join(bin, 'npm'), npm)
  await (node === undefined
    ? symlink(process.execPath, join(bin, 'node'))
    : executable(join(bin, 'node'), node))
  const env = { PATH: `${bin}:/usr/bin:/bin`, HOME: directory.path }
  return {
    clone,
    run: (command: string, ...args: string[]) =>
      spawnSync(command, args, { cwd: clone, env, encoding: 'utf8' }),
    /** What npm was asked, one line a call. */
    npmCalls: async () => (await readFile(join(clone, 'npm.log'), 'utf8')).trimEnd().split('\n'),
    [Symbol.asyncDispose]: () => directory.remove(),
  }
}

async function executable(path: string, text: string): Promise<void> {
  await writeFile(path, text)
  await chmod(path, 0o755)
}

test('arguments, standard output and the exit code are those of the command', async () => {
  await using clone = await aClone()
  const { stdout, status } = clone.run('./lab', 'demo', '--out', 'a b')
  assert.deepEqual([stdout, status], ['["demo","--out","a b"]\n', 7])
})

test('the locked packages are installed once, again when the lock file changes, never by running scripts', async () => {
  await using clone = await aClone()
  clone.run('./lab')
  clone.run('./lab')
  const call = 'ci --loglevel=error --no-audit --no-fund --ignore-scripts'
  assert.deepEqual(await clone.npmCalls(), [call])
  await writeFile(join(clone.clone, 'package-lock.json'), '{ }\n')
  clone.run('./lab')
  assert.deepEqual(await clone.npmCalls(), [call, call])
})

test('it works through a symbolic link and from another directory, where relative paths stay those of the caller', async () => {
  await using clone = await aClone()
  const link = join(clone.clone, '../lab-link')
  await symlink('clone/lab', link)
  const { stdout, status } = clone.run('/bin/sh', '-c', 'cd / && exec "$0" help', link)
  assert.deepEqual([stdout, status], ['["help"]\n', 7])
})

test('with an old Node the package that holds the binary is put beside the project, once', async () => {
  await using clone = await aClone({ node: oldNode })
  const first = clone.run('./lab', 'version')
  const second = clone.run('./lab', 'version')
  assert.deepEqual([first.stdout, first.status], ['["version"]\n', 7])
  assert.match(
    first.stderr,
    /^lab: Node v20\.19\.2 is older than 24\.12: putting node-\S+ into \.node$/m,
  )
  assert.deepEqual([second.stdout, second.stderr], ['["version"]\n', ''])
  const [install = '', ...others] = await clone.npmCalls()
  assert.match(
    install,
    /^install --no-save --no-package-lock --prefix \S+\/clone\/\.node node-\S+@>=24\.12\.0 <25 .*--ignore-scripts$/,
  )
  assert.equal(others.length, 1)
})

test('when npm cannot install, the exit code is 69 and the message says what to do', async () => {
  const npm = '#!/bin/sh\nexit 1\n'
  await using oldClone = await aClone({ node: oldNode, npm })
  const noNode = oldClone.run('./lab', 'version')
  assert.equal(noNode.status, 69)
  assert.match(
    noNode.stderr,
    /npm could not install node-\S+: check the network, or install Node >= 24\.12/,
  )
  await using newClone = await aClone({ npm })
  const noPackages = newClone.run('./lab', 'version')
  assert.equal(noPackages.status, 69)
  assert.match(noPackages.stderr, /npm ci failed/)
})
