import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { Problem, type HmcJob } from '@fadump-lab/shared/contracts'
import { aDump, aPartition, startedConsole, type Script } from '../testing/fake-room.ts'

type Api = Awaited<ReturnType<typeof startedConsole>>

async function post(api: Api, path: string, payload: object = {}) {
  return api.app.inject({
    method: 'POST',
    url: `/v1/partitions/p1/${path}`,
    headers: { ...api.headers, 'content-type': 'application/json', 'x-correlation-id': 'mine' },
    payload: JSON.stringify(payload),
  })
}

/** Runs one operation to the end of its job, as a client that polls the location it was given. */
async function runJob(script: Script, path: string, payload?: object): Promise<HmcJob> {
  await using api = await startedConsole(script)
  const accepted = await post(api, path, payload)
  assert.equal(accepted.statusCode, 202, accepted.body)
  const { location } = accepted.headers
  for (;;) {
    const job = (
      await api.app.inject({ url: String(location), headers: api.headers })
    ).json<HmcJob>()
    if (job.state !== 'running') return job
    await new Promise((resolve) => setImmediate(resolve))
  }
}

const down = new Problem('dependency-unavailable', 'no answer')
const missing = new Problem('not-found', 'no such dump')
const dumped = { crashes: 1, lastDump: 'p1-00000000-1' }

suite('long operations of the console', () => {
  test('activate ends when the first kernel is up', async () => {
    const partitions = [
      aPartition({ state: 'starting', registration: 'idle' }),
      aPartition({ state: 'starting' }),
      aPartition(),
    ]
    const job = await runJob({ partitions }, 'activate')
    assert.equal(job.state, 'succeeded')
    assert.equal(job.step, 'partition running, registration registered')
    assert.equal(job.correlationId, 'mine')
  })

  test('a dump that the capture kernel has invalidated is not waited for', async () => {
    const partitions = [
      aPartition(),
      aPartition({ state: 'capture-starting', pendingDump: 'p1-00000000-1', ...dumped }),
      aPartition({ state: 'starting', registration: 'idle', ...dumped }),
    ]
    const job = await runJob({ partitions, dumps: [missing] }, 'crash', {})
    assert.equal(job.state, 'failed')
    assert.match(
      job.failure ?? '',
      /p1-00000000-1 was invalidated before anything of it was stored/,
    )
  })

  test('crash ends when the dump is stored and the partition is up again', async () => {
    const waits = { registration: 'active', pendingDump: 'p1-00000000-1', ...dumped } as const
    const capturing = aPartition({ state: 'capturing', ...waits })
    const partitions = [
      aPartition(),
      aPartition({ state: 'dumping', crashes: 1, pendingDump: 'p1-00000000-1' }),
      capturing,
      capturing,
      aPartition({ ...dumped }),
    ]
    const dumps = [missing, aDump({ status: 'capturing', step: 'transferring' }), aDump()]
    const job = await runJob({ partitions, dumps }, 'crash', { cause: 'sysrq' })
    assert.equal(job.state, 'succeeded')
    assert.equal(job.dump, 'p1-00000000-1')
  })

  test('a service that is restarting is waited for', async () => {
    const partitions = [aPartition(), down, aPartition(dumped), down, aPartition(dumped)]
    const job = await runJob({ partitions, dumps: [down, aDump()] }, 'crash')
    assert.equal(job.state, 'succeeded')
  })

  const failures: readonly [string, Script, RegExp][] = [
    [
      'a failed dump fails the job with its cause',
      {
        partitions: [aPartition(), aPartition(dumped)],
        dumps: [aDump({ status: 'failed', step: 'failed', failure: 'disk full' })],
      },
      /p1-00000000-1 failed: disk full/,
    ],
    [
      'a partial dump is not called a success',
      {
        partitions: [aPartition(), aPartition(dumped)],
        dumps: [aDump({ status: 'partial', failure: 'partition powered off' })],
      },
      /partial: partition powered off/,
    ],
    [
      'a capture kernel that could not boot fails the job with the reason of the firmware',
      {
        partitions: [
          aPartition(),
          aPartition({ ...dumped, state: 'error', lastFailure: 'out of memory at link up' }),
        ],
        dumps: [missing],
      },
      /state error: out of memory at link up/,
    ],
  ]
  for (const [what, script, reason] of failures) {
    test(what, async () => {
      const job = await runJob(script, 'crash')
      assert.equal(job.state, 'failed')
      assert.match(job.failure ?? '', reason)
    })
  }

  test('a crash without a registered dump ends when the partition has restarted, without a dump', async () => {
    const partitions = [
      aPartition({ registration: 'idle' }),
      aPartition({ registration: 'idle', state: 'terminated' }),
      aPartition({ registration: 'idle', epoch: 4, state: 'starting' }),
      aPartition({ epoch: 4 }),
    ]
    const job = await runJob({ partitions }, 'crash')
    assert.equal(job.state, 'succeeded')
    assert.equal(job.dump, undefined)
  })

  test('a refusal of the first step is the answer, and no job is made', async () => {
    const refusal = new Problem('wrong-state', 'p1 is running', {
      extensions: { state: 'running' },
    })
    await using api = await startedConsole({ refusals: { activatePartition: refusal } })
    const answer = await post(api, 'activate')
    assert.equal(answer.statusCode, 409)
    assert.equal(answer.json<{ state: string }>().state, 'running')
    assert.deepEqual((await api.app.inject({ url: '/v1/jobs', headers: api.headers })).json(), [])
  })

  test('a job that is stuck fails at its deadline and says where it was', async () => {
    await using api = await startedConsole(
      { partitions: [aPartition({ state: 'starting', registration: 'idle' })] },
      { jobTimeoutMs: 50 },
    )
    await post(api, 'activate')
    for (;;) {
      const [row] = await api.events.read(undefined, 1)
      if (row !== undefined) {
        assert.equal(row.event.event, 'fail')
        assert.match(
          String(row.event.detail?.['failure']),
          /not done after 0.05 s, at: partition starting/,
        )
        return
      }
      await new Promise((resolve) => setImmediate(resolve))
    }
  })

  test('orderly shutdown asks the kernel, immediate shutdown the firmware', async () => {
    for (const [immediate, expected] of [
      [false, 'shutdown'],
      [true, 'powerOffPartition'],
    ] as const) {
      await using api = await startedConsole({
        partitions: [aPartition({ state: 'not-activated' })],
      })
      await post(api, 'shutdown', { immediate })
      assert.equal(api.called[0], expected)
    }
  })
})
