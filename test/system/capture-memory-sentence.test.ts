/**
 * A capture kernel that is killed in mid-copy, with everything that an initramfs or a kernel may do then: what becomes of
 * dump and partition, and the one sentence of the rehearsal wherever somebody looks for the reason.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import type { Dump, FailureAction, Partition } from '@fadump-lab/shared/contracts'
import { rehearseCommand } from '../../scripts/lab/capture-memory/rows.ts'
import { dispatch } from '../../scripts/lab/dispatch.ts'
import { leaveToken } from '../../scripts/lab/token-file.ts'
import { eventually } from '../support/eventually.ts'
import { logInMemory } from '../support/log-in-memory.ts'
import { startRoom, type Room } from '../support/room.ts'

const MiB = 2 ** 20

/** How the kill ends: `panic` by vm.panic_on_oom with a process that takes all memory. */
type End = FailureAction | 'panic'

interface Row {
  readonly end: End
  /** Where the partition comes to rest. */
  readonly state: Partition['state']
  /** Whether firmware still has the dump (spec §14.4). */
  readonly isKept: boolean
}

const rows: readonly Row[] = [
  { end: 'shell', state: 'error', isKept: true },
  { end: 'panic', state: 'error', isKept: true },
  { end: 'reboot', state: 'running', isKept: false },
  // A kernel that has halted answers nobody; to the console its partition runs.
  { end: 'halt', state: 'running', isKept: false },
  { end: 'poweroff', state: 'not-activated', isKept: false },
]

/** 145 MiB are needed, in the copy itself. */
function formOf(end: End) {
  return {
    id: end,
    memoryBytes: 1024 * MiB,
    processors: 4,
    content: { seed: 7, populatedBytes: 40 * 65_536 },
    bootArguments: `fadump=on fadump_reserve_mem=${end === 'panic' ? 192 : 144}M${end === 'panic' ? ' sysctl.vm.panic_on_oom=1' : ''}`,
    capture: {
      card: 'ibmveth' as const,
      ...(end === 'panic' ? { otherProcessMiB: 300 } : { failureAction: end }),
    },
  }
}

/** What `./lab rehearse` prints of a running partition. */
async function printed(room: Room, partition: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'fadump-sentence-'))
  await using _files = { [Symbol.asyncDispose]: () => rm(directory, { recursive: true }) }
  const tokenFile = join(directory, 'token')
  await leaveToken(tokenFile, room.tokenFor('operator'))
  const lines: string[] = []
  const out = (line: string) => void lines.push(line)
  const words = ['rehearse', '--api', room.urls.console, '--token-file', tokenFile, partition]
  const commands = { rehearse: rehearseCommand(out) }
  await dispatch(words, { commands, out, error: out })
  return lines.join('\n')
}

/** A kernel that panics is started again as a capture kernel until it has had its tries; each one takes the dump up again. */
const tries = (end: End): number => (end === 'panic' ? 3 : 1)

/** The partial dump, when the collector has given it up for good. */
async function givenUp(room: Room, end: End): Promise<Dump> {
  const { lastDump = '' } = await room.api.partition(end)
  let dump: Dump | undefined
  await eventually(`${lastDump} is partial after ${tries(end)} tries`, async () => {
    dump = await room.api.routes.getDump({ params: { dump: lastDump } })
    return dump.status === 'partial' && dump.attempts === tries(end)
  })
  return dump ?? assert.fail(`no dump of ${end}`)
}

/** The sentences of the events that tell of failed captures. */
async function toldEvents(room: Room, partition: string) {
  const rows = await room.events.read(undefined, 10_000)
  return rows
    .filter(({ event: { event, subject } }) => event === 'captureFailed' && subject === partition)
    .map(({ event }) => event.detail?.['explanation'])
}

suite('a copy that runs out of memory', () => {
  for (const { end, state, isKept } of rows) {
    test(`C154 ${end}: the dump is ${isKept ? 'kept' : 'gone'} in firmware, a part of it is stored, and everybody tells the sentence of the rehearsal`, async () => {
      await using room = await startRoom()
      const params = { partition: end }
      await room.api.boot(formOf(end))
      const { explanation, failure } = await room.api.routes.rehearse({ params, body: {} })
      assert.equal(failure?.phase, 'transfer')
      const cli = await printed(room, end)
      const job = await room.api.ended(await room.api.routes.crash({ params, body: {} }))
      const dump = await givenUp(room, end)
      await eventually(
        `${end} comes to rest`,
        async () => (await room.api.partition(end)).state === state,
      )
      const { pendingDump, lastFailure } = await room.api.partition(end)
      assert.equal(pendingDump, isKept ? dump.id : undefined)
      assert.ok(dump.missing.length > 0 && dump.transferredBytes > 0n)
      const explanations = await toldEvents(room, end)
      assert.deepEqual(
        explanations,
        Array.from({ length: tries(end) }, () => explanation),
      )
      const told: Readonly<Record<string, string | undefined>> = {
        'command line': cli,
        job: job.failure,
        dump: dump.failure,
        ...(state === 'error' ? { partition: lastFailure } : {}),
        // What a clean way down leaves of the log is the next boot's business.
        ...(isKept ? { log: await logInMemory(room.store, end, 'v5') } : {}),
      }
      for (const [where, text = 'nothing'] of Object.entries(told)) {
        assert.ok(text.includes(explanation), `${where}: ${text}`)
      }
    })
  }
})
