/**
 * What a test may need from the machine: real tools, root, and the neighbour directory with reference material.
 *
 * A test that needs something says so in its options, `{ skip: without('readelf', 'zstd') }`: on a machine that lacks
 * it the test is skipped by name with the reason, and under `CI=true` the launcher turns every skip into a failure.
 */
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'

/** One thing that tests need and a machine may lack. */
export interface Capability {
  /** What it is for, for the list that the launcher prints. */
  readonly purpose: string
  /** How to get it. */
  readonly remedy: string
  /** Where it is, or `undefined`. */
  readonly find: () => string | undefined
}

/** The top of the repository. */
export const repositoryRoot = resolve(import.meta.dirname, '../..')

/** Everything that some test needs beside Node and npm, by name. `.ci/run` installs the packages named here. */
export const capabilities = {
  'redis-server': program(
    'redis-server',
    'redis-server',
    'the store and the queues on a real Redis',
  ),
  readelf: program('readelf', 'binutils', 'an ELF reader that is not ours'),
  'gdb-multiarch': program('gdb-multiarch', 'gdb-multiarch', 'threads and registers of a vmcore'),
  dtc: program('dtc', 'device-tree-compiler', 'a device tree reader that is not ours'),
  'vmcore-dmesg': program('vmcore-dmesg', 'kexec-tools', 'the kernel log of a vmcore'),
  zstd: program('zstd', 'zstd', 'unpacking reference vmcores'),
  curl: program('curl', 'curl', 'the commands that the documentation shows'),
  root: {
    purpose: 'chroot into the newer tools',
    remedy: 'run as root',
    find: () => (process.getuid?.() === 0 ? 'uid 0' : undefined),
  },
  'vmcore-tools': {
    purpose: 'crash, makedumpfile, drgn and newer gdb',
    remedy: 'run vmcore-tools/setup.sh of the reference directory as root, or set VMCORE_TOOLS',
    find: findVmcoreTools,
  },
  docker: {
    purpose: 'the machine room in containers',
    remedy: 'install Docker Engine 25 or later with the compose plugin, and start it',
    find: findEngine,
  },
  shared: {
    purpose: 'reference vmcores of a real kernel',
    remedy: 'put the reference directory beside the repository as ../shared',
    find: () => directoryWith(resolve(repositoryRoot, '../shared'), 'truth/README.md'),
  },
} as const satisfies Record<string, Capability>

export type CapabilityName = keyof typeof capabilities

/** For `{ skip: without(...) }`: false when the machine has all of `names`, else the reason with the remedy. */
export function without(...names: readonly CapabilityName[]): string | false {
  const absent = names.filter((name) => capabilities[name].find() === undefined)
  if (absent.length === 0) return false
  return absent.map((name) => `${name} is absent (${capabilities[name].remedy})`).join('; ')
}

/** Where the capability is. Call it inside a test guarded by `without`; throws with the remedy otherwise. */
export function locate(name: CapabilityName): string {
  const place = capabilities[name].find()
  if (place === undefined) throw new Error(`${name} is absent: ${capabilities[name].remedy}`)
  return place
}

/** The directory of reference material beside the repository. Guard its tests with `without('shared')`. */
export function sharedDirectory(): string | undefined {
  return capabilities.shared.find()
}

/** The programs live in sbin on Debian, which the PATH of ordinary users leaves out. */
const systemDirectories = ['/usr/local/sbin', '/usr/sbin', '/sbin']

function program(name: string, debianPackage: string, purpose: string): Capability {
  return { purpose, remedy: `apt-get install ${debianPackage}`, find: () => findProgram(name) }
}

function findProgram(name: string): string | undefined {
  const directories = [...(process.env['PATH'] ?? '').split(delimiter), ...systemDirectories]
  return directories
    .filter((directory) => directory !== '')
    .map((directory) => join(directory, name))
    .find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** An engine that answers, with compose; asked once, because asking takes a second. */
const asked: { engine?: string | undefined } = {}
function findEngine(): string | undefined {
  if (!('engine' in asked)) asked.engine = engineVersion()
  return asked.engine
}

function engineVersion(): string | undefined {
  const question = ['version', '--format', '{{.Server.Version}}']
  const version = spawnSync('docker', question, { encoding: 'utf8' })
  const compose = spawnSync('docker', ['compose', 'version'])
  return version.status === 0 && compose.status === 0 ? version.stdout.trim() : undefined
}

function findVmcoreTools(): string | undefined {
  const directory = process.env['VMCORE_TOOLS'] ?? join(homedir(), '.cache/vmcore-tools')
  return directoryWith(directory, 'new/usr/bin/drgn')
}

function directoryWith(directory: string, file: string): string | undefined {
  return existsSync(join(directory, file)) ? directory : undefined
}
