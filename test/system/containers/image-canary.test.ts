/** Secrets that lie about in the build context are in no layer of an image. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createReadStream } from 'node:fs'
import { cp, mkdir, mkdtempDisposable, readdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import test from 'node:test'
import { promisify } from 'node:util'
import { createGunzip } from 'node:zlib'
import { systemRandom } from '@fadump-lab/shared/runtime'
import { repositoryRoot, without } from '../../support/tools.ts'

const run = promisify(execFile)
const timeout = 300_000
const context = [
  'Dockerfile',
  '.dockerignore',
  '.npmrc',
  'package.json',
  'package-lock.json',
  'packages',
  'services',
  'scripts',
]
/** Where operators, tools and runs leave what nobody else may see. */
const secretPlaces = [
  '.env',
  '.env.production',
  'id_rsa',
  'secrets/lpar-kernel/dump.key',
  '.lab/token',
  'dumps/p1/p1-1/vmcore',
  'packages/.env',
  'packages/shared/.env.local',
  'packages/shared/notes.txt',
  'packages/shared/src/.npmrc',
  'packages/shared/src/identity/room.key',
  'services/hmc-api/users.json',
  'services/hmc-api/administrator-password',
  'services/hmc-api/src/administrator-password',
  'services/hmc-api/src/access/server.pem',
  'services/hmc-api/src/access/server.crt',
  'services/hmc-api/src/credential.key',
  'services/hmc-api/src/callers.json',
  'services/hmc-api/dumps/vmcore',
  'services/hypervisor/src/main.ts.key',
  'scripts/secrets/hmc-api/administrator.password',
  'scripts/lab/init/redis-memory/users.acl',
  'scripts/lab/.env',
]
const sourcePlace = 'services/hmc-api/src/planted-source.ts'

test(
  'what lies about in the build context is in no layer',
  { skip: without('docker'), timeout },
  async () => {
    await using directory = await mkdtempDisposable(join(tmpdir(), 'fadump-context-'))
    const root = join(directory.path, 'context')
    for (const path of context) {
      await cp(join(repositoryRoot, path), join(root, path), {
        recursive: true,
        filter: (source) => basename(source) !== 'node_modules',
      })
    }
    const random = systemRandom()
    const plant = async (path: string): Promise<string> => {
      const canary = `canary-${random.hex(16)}`
      await mkdir(join(root, dirname(path)), { recursive: true })
      await writeFile(join(root, path), `// ${canary}\n`)
      return canary
    }
    const source = await plant(sourcePlace)
    const canaries = new Map<string, string>()
    for (const path of secretPlaces) canaries.set(await plant(path), path)

    const image = `fadump-lab/canary:${random.hex(4)}`
    await run('docker', ['build', '--quiet', '--build-arg', 'SERVICE=hmc-api', '-t', image, root])
    try {
      const archive = join(directory.path, 'layers')
      await mkdir(archive)
      await run('sh', ['-c', `docker save ${image} | tar -xf - -C ${archive}`])
      const found = await canariesIn(archive)
      assert.ok(found.has(source), 'a source file is found, so the search works')
      const leaked = [...canaries].filter(([canary]) => found.has(canary))
      assert.deepEqual(
        leaked.map(([, path]) => path),
        [],
      )
    } finally {
      await run('docker', ['rmi', '--force', image])
    }
  },
)

/** Every canary in any file of an unpacked image: configuration, history and layers, packed or not. */
async function canariesIn(directory: string): Promise<ReadonlySet<string>> {
  const found = new Set<string>()
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  for (const entry of entries.filter((each) => each.isFile())) {
    const path = join(entry.parentPath, entry.name)
    let rest = ''
    for await (const bytes of await unpacked(path)) {
      const text = rest + (bytes as Buffer).toString('latin1')
      for (const [canary] of text.matchAll(/canary-[0-9a-f]{32}/g)) found.add(canary)
      rest = text.slice(-canaryLength)
    }
  }
  return found
}

const canaryLength = 'canary-'.length + 32

async function unpacked(path: string): Promise<NodeJS.ReadableStream> {
  const [first] = await createReadStream(path, { end: 1 }).toArray()
  const isPacked = first instanceof Uint8Array && first[0] === 0x1f && first[1] === 0x8b
  return isPacked ? createReadStream(path).pipe(createGunzip()) : createReadStream(path)
}
