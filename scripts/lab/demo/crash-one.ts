/** One system from creation to stored vmcore, over the console's REST API only. */
import type { Dump, HmcJob, hmcRoutes } from '@fadump-lab/shared/contracts'
import type { Client } from '@fadump-lab/shared/http'
import { systemClock } from '@fadump-lab/shared/runtime'
import type { DemoSystem } from './systems.ts'

export type Console = Client<typeof hmcRoutes>

const pollMs = 50

/** Creates, activates and crashes `system`; `tell` hears every step. Throws with the job's failure. */
export async function crashOne(
  api: Console,
  system: DemoSystem,
  tell: (step: string) => void,
): Promise<Dump> {
  const params = { partition: system.id }
  const { id, memoryBytes, processors } = system
  tell('creating')
  await api.createPartition({ body: { id, memoryBytes, processors, profile: 'v5' } })
  await ended(api, await api.activate({ params }), tell)
  const crash =
    system.crash === 'dump-restart'
      ? await api.dumpRestart({ params })
      : await api.crash({ params, body: { cause: system.crash } })
  const { dump } = await ended(api, crash, tell)
  if (dump === undefined) throw new Error(`${id} crashed, but no dump was taken`)
  tell('stored')
  return api.getDump({ params: { dump } })
}

async function ended(api: Console, job: HmcJob, tell: (step: string) => void): Promise<HmcJob> {
  for (let now = job; ; now = await api.getJob({ params: { job: job.id } })) {
    tell(`${now.operation}: ${now.step}`)
    if (now.state === 'succeeded') return now
    if (now.state === 'failed')
      throw new Error(`${now.operation} of ${now.partition}: ${now.failure}`)
    await systemClock.sleep(pollMs)
  }
}
