/** Commands that a page of the documentation shows, run as they stand there: who copies them gets what is promised. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { startRoom } from '../support/room.ts'
import { repositoryRoot, without } from '../support/tools.ts'

/** The first shell block below a heading. */
async function shellBlock(page: string, heading: string): Promise<string> {
  const text = await readFile(join(repositoryRoot, page), 'utf8')
  const [, below = ''] = text.split(`\n## ${heading}\n`)
  const [, block] = /\n```sh\n(.*?)\n```\n/s.exec(below) ?? []
  assert.ok(block !== undefined, `${page} has no commands below ${heading}`)
  return block
}

/** Every reply is one that curl takes for a success; a refusal ends the script, and tells itself. */
const strict = `set -eu
curl() { command curl --fail-with-body "$@" && echo; }
`

test(
  'docs/network-dump-oom.md, Try it: rehearsed, crashed, looked at, and saved by the fix',
  { skip: without('curl') },
  async () => {
    await using room = await startRoom()
    const script = strict + (await shellBlock('docs/network-dump-oom.md', 'Try it'))
    const env = {
      PATH: process.env['PATH'],
      api: `${room.urls.console}/v1`,
      auth: `authorization: ${room.headers.authorization}`,
    }
    const { stdout } = await promisify(execFile)('bash', ['-c', script], { env })
    const explanation =
      /Out of memory in phase \\?"link up\\?": 272 MiB needed, 256 MiB of boot memory there;/g
    // The rehearsal, capture-memory, the log, and the partition as its boot settings are changed.
    assert.equal(stdout.match(explanation)?.length, 4, stdout)
    assert.match(stdout, /"verdict":"fail"[\s\S]*"verdict":"(pass|warn)"[\s\S]*"verdict":"pass"/)
    assert.match(stdout, /^MemTotal: +\d+ kB$/m)
    assert.match(stdout, /dhclient/)
    const [dump] = await room.api.routes.listDumps({})
    assert.deepEqual([dump?.partition, dump?.status], ['p64', 'complete'])
    assert.match(stdout, /"minimumMiB":603,"recommendedMiB":768/)
  },
)
