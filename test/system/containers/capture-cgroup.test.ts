/** Captures that really take their memory, in containers as large as boot memory: the kernel of this machine decides. */
import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import type { LabEvent } from '@fadump-lab/shared/contracts'
import { startContainerRoom, type ContainerRoom } from '../../support/containers.ts'
import { without } from '../../support/tools.ts'

const MiB = 2 ** 20
const timeout = 600_000
/** The POWER7 of the patch series, with 8 queues of ehea: 274 MiB are needed. */
const power7 = { memoryBytes: 2048 * MiB, processors: 20 } as const

suite('the profile capture-cgroup', { skip: without('docker'), timeout }, () => {
  test('captures under real memory limits', { timeout }, async (t) => {
    await using room = await startContainerRoom({ profiles: ['capture-cgroup'] })

    await t.test('C151 at 256 MiB the OOM killer of this machine takes it, where predicted', () =>
      checkKill(room),
    )

    await t.test('with the setting that the failure names, the same dump is saved', async () => {
      const params = { partition: 'p256' }
      const body = { bootArguments: 'fadump=on fadump_reserve_mem=256M ehea.use_mcs=0' }
      await room.api.routes.changeBootSettings({ params, body })
      await room.api.done(await room.api.routes.restart({ params }))
      const { lastDump = '' } = await room.settled('p256')
      assert.equal(
        (await room.api.routes.getDump({ params: { dump: lastDump } })).status,
        'complete',
      )
      assert.equal(await oomKills(room, 'capture-256'), 1, 'the kill of before, and no other')
    })

    await t.test('at 320 MiB the same capture passes, and uses what was predicted', async () => {
      await room.api.boot({ ...power7, id: 'p320', bootArguments: reserved(320) })
      const dump = await room.api.crash('p320')
      assert.equal(dump.status, 'complete', dump.failure)
      const [event, ...more] = await measurements(room, 'p320')
      assert.deepEqual(more, [])
      assert.deepEqual([event?.detail?.['end'], event?.detail?.['last']], ['survived', 'done'])
      // 270 MiB held in phase "transfer", and 5.4 MiB that must stay free.
      const peakMiB = Number(event?.detail?.['peakBytes']) / MiB
      assert.ok(Math.abs(peakMiB - 275.6) < 2, `${peakMiB} MiB`)
      assert.equal(await oomKills(room, 'capture-320'), 0)
    })
  })
})

async function checkKill(room: ContainerRoom): Promise<void> {
  const before = await engineSeconds(room)
  const params = { partition: 'p256' }
  await room.api.boot({ ...power7, id: 'p256', bootArguments: reserved(256) })
  const { explanation } = await room.api.routes.rehearse({ params, body: {} })
  assert.match(explanation, /^Out of memory in phase "link up": .*first refused: receive rings/)
  await room.api.ended(await room.api.routes.crash({ params, body: {} }))
  const { state, lastFailure = '', pendingDump } = await room.api.partition('p256')
  assert.equal(state, 'error')
  assert.notEqual(pendingDump, undefined, 'firmware keeps the dump')
  assert.ok(lastFailure.startsWith(`${explanation} Measured under a real limit of 256 MiB:`))
  assert.match(
    lastFailure,
    /the OOM killer took the capture process in phase "link up" while it allocated for receive rings, 16\d MiB in use before\.$/,
  )
  const [event] = await measurements(room, 'p256')
  assert.deepEqual(
    ['end', 'phase', 'consumer'].map((key) => event?.detail?.[key]),
    ['killed', 'link up', 'receive rings'],
  )
  assert.equal(await oomKills(room, 'capture-256'), 1)
  const name = room.container('capture-256')
  const window = ['--since', before, '--until', await engineSeconds(room)]
  const filter = ['--filter', `container=${name}`, '--filter', 'event=oom']
  const { stdout } = await room.docker('events', ...window, ...filter)
  assert.match(stdout, /container oom/, 'the engine has seen it')
  const keeper = await room.inspect(name, '{{.State.Status}} {{.RestartCount}}')
  assert.equal(keeper, 'running 0', 'the keeper of the process lives on')
}

function reserved(bootMiB: number): string {
  return `fadump=on fadump_reserve_mem=${bootMiB}M`
}

async function measurements(room: ContainerRoom, partition: string): Promise<readonly LabEvent[]> {
  const rows = await room.api.routes.listEvents({ query: { limit: 1000 } })
  return rows
    .map(({ event }) => event)
    .filter(({ subject, event }) => subject === partition && event === 'captureMeasured')
}

/** The kernel's own count, of either version of control groups. */
async function oomKills(room: ContainerRoom, service: string): Promise<number> {
  const files = '/sys/fs/cgroup/memory.events /sys/fs/cgroup/memory/memory.oom_control'
  const text = await room.exec(service, ['sh', '-c', `cat ${files} 2>/dev/null || true`])
  return Number(/^oom_kill (\d+)$/m.exec(text)?.[1])
}

/** Now, by the clock that stamps the engine's events. */
async function engineSeconds(room: ContainerRoom): Promise<string> {
  const { stdout } = await room.docker('info', '--format', '{{.SystemTime}}')
  return stdout.trim()
}
