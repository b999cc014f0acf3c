/** `./lab init`: makes the keys and passwords of a machine room, once. `docker compose up` runs it by itself. */
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { callerNames, type CallerName } from '@fadump-lab/shared/contracts'
import { systemRandom } from '@fadump-lab/shared/runtime'
import { secretFiles, type Holder, type SecretFile } from './init/secrets.ts'

/** The holder and its group read: in containers the servers of Redis are in the group of the one who makes them. */
const fileMode = 0o440

export interface InitOptions {
  /** One directory per holder comes below it. */
  readonly out: string
  readonly print: (line: string) => void
  /** Callers that get a next credential beside the present one. */
  readonly exchange?: readonly CallerName[]
}

/** Answers with the exit code. A second run keeps every secret. */
export async function init({ out, print, exchange = [] }: InitOptions): Promise<number> {
  const root = resolve(out)
  const present = await readAll(root)
  const found = (holder: Holder, name: string) => present.get(`${holder}/${name}`)
  const files = secretFiles(found, systemRandom(), exchange)
  let made = 0
  for (const file of files) {
    if (present.get(`${file.holder}/${file.name}`) === file.content.trimEnd()) continue
    await put(root, file)
    made += 1
  }
  print(`${made} files written, ${files.length - made} kept below ${root}`)
  return 0
}

/** Contents by `<holder>/<name>`, without line ends. */
async function readAll(root: string): Promise<ReadonlyMap<string, string>> {
  const present = new Map<string, string>()
  // What a first run would write tells which files there are.
  for (const { holder, name } of secretFiles(() => undefined, systemRandom(), callerNames)) {
    const text = await readIfThere(join(root, holder, name))
    if (text !== undefined) present.set(`${holder}/${name}`, text.trimEnd())
  }
  return present
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

/** Whole or not at all: a reader never sees half a file. */
async function put(root: string, { holder, name, content }: SecretFile): Promise<void> {
  const directory = join(root, holder satisfies Holder)
  await mkdir(directory, { recursive: true, mode: 0o750 })
  const path = join(directory, name)
  await writeFile(`${path}.new`, `${content.trimEnd()}\n`, { mode: 0o600, flush: true })
  await chmod(`${path}.new`, fileMode)
  await rename(`${path}.new`, path)
}
