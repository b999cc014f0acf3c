/**
 * Completes package-lock.json after `npm install`: `npm run lock`.
 *
 * npm leaves out of the lock file every optional platform package that the registry in use does not have, and then
 * `npm ci` refuses that lock file everywhere. This adds them with their platform, so that each machine installs its
 * own and passes over the others. Their integrity is not known here; npm checks it where the lock file states it.
 */
import { readFileSync, writeFileSync } from 'node:fs'

/** What matters here of one entry of the lock file. */
export interface LockPackage {
  readonly version?: string
  /** Where it came from: a path for our own packages, nothing for those of a registry. */
  readonly resolved?: string
  readonly dev?: boolean
  readonly optional?: boolean
  readonly os?: readonly string[]
  readonly cpu?: readonly string[]
  readonly libc?: readonly string[]
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

export interface LockFile {
  /** By path, `node_modules/<name>`. */
  readonly packages: Readonly<Record<string, LockPackage>>
}

/** The optional packages that `lock` depends on and does not hold, with what it should hold for them. */
export function missingPlatformPackages(lock: LockFile): Readonly<Record<string, LockPackage>> {
  const missing = Object.values(lock.packages).flatMap(({ dev, optionalDependencies = {} }) =>
    Object.entries(optionalDependencies)
      .filter(([name]) => lock.packages[`node_modules/${name}`] === undefined)
      .map(
        ([name, version]) => [`node_modules/${name}`, platformPackage(name, version, dev)] as const,
      ),
  )
  return Object.fromEntries(missing)
}

/** The C library that the last part of a Linux package's name stands for. */
const libcOf: Readonly<Record<string, string>> = { gnu: 'glibc', musl: 'musl' }

/** A package whose name ends in its platform: `…linux-x64-musl`, `…darwin-arm64`, `…win32-ia32-msvc`. */
function platformPackage(name: string, version: string, dev = false): LockPackage {
  const match =
    /(aix|android|darwin|freebsd|linux|openharmony|win32)-([a-z0-9]+)(?:-([a-z]+))?$/.exec(name)
  if (match === null) throw new Error(`${name} does not end in OS-CPU: run npm install again`)
  const [, os = '', cpu = '', abi = ''] = match
  const libc = libcOf[abi]
  return {
    version,
    cpu: [cpu],
    ...(dev ? { dev } : {}),
    ...(libc === undefined ? {} : { libc: [libc] }),
    optional: true,
    os: [os],
  }
}

/** `lock` with the missing packages, in npm's order. */
function completed(lock: LockFile): LockFile {
  const packages = { ...lock.packages, ...missingPlatformPackages(lock) }
  const sorted = Object.entries(packages).toSorted(([a], [b]) => a.localeCompare(b, 'en'))
  return { ...lock, packages: Object.fromEntries(sorted) }
}

/** Reads the lock file at `path`. */
export function readLock(path: string): LockFile {
  return JSON.parse(readFileSync(path, 'utf8')) as LockFile
}

if (import.meta.main) {
  const lock = readLock('package-lock.json')
  const names = Object.keys(missingPlatformPackages(lock))
  writeFileSync('package-lock.json', `${JSON.stringify(completed(lock), undefined, 2)}\n`)
  console.log(`package-lock.json: ${names.length} platform packages added`)
}
