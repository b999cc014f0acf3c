/** `./lab rehearse` of a running partition: its kernel judges, through the public REST API. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { rehearseCommand } from '../../scripts/lab/capture-memory/rows.ts'
import { dispatch } from '../../scripts/lab/dispatch.ts'
import { leaveToken } from '../../scripts/lab/token-file.ts'
import { startRoom, type Room } from '../support/room.ts'

const MiB = 2 ** 20

/** A command line as it ends in a terminal whose working room is `room`. */
async function rehearse(room: Room, ...words: string[]) {
  const directory = await mkdtemp(join(tmpdir(), 'fadump-rehearse-'))
  await using _files = { [Symbol.asyncDispose]: () => rm(directory, { recursive: true }) }
  const tokenFile = join(directory, 'token')
  await leaveToken(tokenFile, room.tokenFor('operator'))
  const lines: string[] = []
  const errors: string[] = []
  const out = (line: string) => void lines.push(line)
  const there = ['--api', `${room.urls.console}/v1`, '--token-file', tokenFile]
  const code = await dispatch(['rehearse', ...there, ...words], {
    commands: { rehearse: rehearseCommand(out) },
    out,
    error: (line) => errors.push(line),
  })
  return { code, text: lines.join('\n'), errors: errors.join('\n') }
}

/** The POWER7 system of the series with the floor of before. */
async function startedRoom(): Promise<Room> {
  const room = await startRoom()
  await room.api.boot({
    id: 'p1',
    memoryBytes: 2048 * MiB,
    processors: 20,
    content: { seed: 1, populatedBytes: 65_536 },
    bootArguments: 'fadump=on fadump_reserve_mem=256M',
    capture: { card: 'ehea', queues: 8 },
  })
  return room
}

suite('lab rehearse of a running partition', () => {
  test('a dump that does not fit ends with 1, in the sentence of the API, and the partition runs on', async () => {
    await using room = await startedRoom()
    const params = { partition: 'p1' }
    const told = await room.api.routes.rehearse({ params, body: {} })
    const { code, text, errors } = await rehearse(room, 'p1')
    assert.equal(errors, '')
    assert.equal(code, 1)
    assert.ok(text.includes(`\nfail: ${told.explanation}\n`), text)
    assert.match(text, /^2G of memory, 20 CPUs .* 1 × ehea with 8 queues; /)
    assert.match(text, /^│ link up +│ +\d+\.\d │ receive rings 112\.1 MiB/m)
    assert.match(text, /^ {2}fadump_reserve_mem=274M \(18 MiB that production gives up\)$/m)
    const json = await rehearse(room, 'p1', '--json')
    assert.deepEqual(JSON.parse(json.text), JSON.parse(JSON.stringify(told)))
    const { state } = await room.api.partition('p1')
    assert.equal(state, 'running')
  })

  test('boot memory, arguments, card and target can be others than those of the partition', async () => {
    await using room = await startedRoom()
    const least: Readonly<Record<string, readonly [words: readonly string[], MiB: number]>> = {
      'more boot memory': [['--boot', '320M'], 274],
      'one queue by boot argument': [['--append', 'ehea.use_mcs=0'], 175],
      'another card': [['--nic', 'ibmveth', '--queues', '1'], 165],
      'one queue of the same card': [['--queues', '1'], 175],
      'a local dump': [['--target', 'local'], 146],
      'an NFS server': [['--target', 'nfs', '--boot', '300M'], 289],
    }
    for (const [what, [words, minimumMiB]] of Object.entries(least)) {
      const { code, text, errors } = await rehearse(room, 'p1', '--json', ...words)
      assert.equal(errors, '', what)
      assert.equal(code, 0, what)
      assert.equal((JSON.parse(text) as { minimumMiB: number }).minimumMiB, minimumMiB, what)
    }
  })

  test('what cannot be asked is refused with what can', async () => {
    await using room = await startedRoom()
    const refused: Readonly<
      Record<string, readonly [words: readonly string[], code: number, errors: RegExp]>
    > = {
      'a setting that the partition has': [
        ['p1', '--memory', '4G', '--cpus', '8'],
        64,
        /--memory, --cpus: a partition has its own; --boot, --append ARGUMENTS and these can be changed: --preset, --target, --nic, /,
      ],
      'more queues than the driver can use': [['p1', '--queues', '17'], 64, /valid: 1 to 16/],
      'boot memory above memory': [['p1', '--boot', '4G'], 64, /less than the 2048 MiB of memory/],
      'no such partition': [['p2'], 66, /there is no partition p2/],
      'two partitions': [['p1', 'p2'], 64, /rehearse takes one partition, not 2/],
      'no partition': [[], 64, /--api needs a partition of that console/],
    }
    for (const [what, [words, code, message]] of Object.entries(refused)) {
      const ended = await rehearse(room, ...words)
      assert.equal(ended.code, code, `${what}: ${ended.errors}`)
      assert.match(ended.errors, message)
      assert.equal(ended.text, '')
    }
  })
})
