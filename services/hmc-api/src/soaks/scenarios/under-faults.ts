/**
 * What is done for faults that strike at something else than a plain crash, or after which there is more to look at: a refused
 * registration, a crash that is followed by others, a capture that runs out of memory.
 */
import { type FaultName, isProblem, type Partition } from '@fadump-lab/shared/contracts'
import { registeredFile } from '../hands.ts'
import type { ScenarioSteps, Stage } from '../stage.ts'

async function isRefused(write: Promise<void>): Promise<boolean> {
  try {
    await write
    return false
  } catch (error) {
    if (isProblem(error, 'errno')) return true
    throw error
  }
}

/** Firmware refuses once: the kernel is not registered; the next time it is. Linux 3.4 does not tell user space of it. */
async function registerRefused(stage: Stage): Promise<void> {
  const { hands, crash } = stage
  await hands.write(registeredFile, '0')
  const refused = await isRefused(hands.write(registeredFile, '1'))
  const isTold = refused === (crash.partition.profile === 'modern')
  stage.check('refused', isTold, `the write of 1 was ${refused ? '' : 'not '}refused`)
  const value = await hands.read(registeredFile)
  stage.check('not registered', value === '0', `${registeredFile} reads ${value} after a refusal`)
  await hands.write(registeredFile, '1')
  await hands.until('registered', ({ registration }) => registration === 'registered')
}

/** Firmware refuses, which user space is not told (`fadump_register_store`): the registration stays, and the crash is dumped. */
async function unregisterRefused(stage: Stage): Promise<void> {
  const { hands } = stage
  await hands.write(registeredFile, '0')
  const value = await hands.read(registeredFile)
  stage.check('registered', value === '1', `${registeredFile} reads ${value} after a refusal`)
}

/** What strikes at boot: the partition is restarted. Memory is cleared by that. */
async function restart(stage: Stage): Promise<void> {
  const { hands } = stage
  const { epoch } = await hands.state()
  await hands.restart()
  await hands.until('up again', (now) => now.epoch > epoch && isRegistered(now))
  stage.written.clear()
}

function isRegistered({ state, registration }: Partition): boolean {
  return state === 'running' && registration === 'registered'
}

/** A kernel does not ask firmware for a dump that might come back to it (C007): it restarts by its own policy. */
async function restartWithoutExtension(stage: Stage): Promise<void> {
  await restart(stage)
  stage.expected.outcome = 'no dump'
  stage.expected.reason = 'firmware has no ibm,extended-os-term'
}

/** Every crash has its dump. A partition that had the name before may have left some, which are told of late. */
async function checkMoreDumps(stage: Stage): Promise<void> {
  const { hands, before, expected } = stage
  const { lastDump = '' } = await hands.state()
  const ofPartition = lastDump.replace(/\d+$/, '')
  const dumps = new Map((await hands.dumps()).map((dump) => [dump.id, dump]))
  for (let more = 1; more <= expected.moreCrashes; more += 1) {
    const id = `${ofPartition}${before.crashes + 1 + more}`
    const dump = dumps.get(id)
    const told = `${id} is ${dump?.status}: ${dump?.failure ?? 'no failure recorded'}`
    stage.check(
      `dump of crash ${more + 1}`,
      dump?.status === 'complete',
      dump === undefined ? `there is no dump ${id}` : told,
    )
  }
}

const crashesAgain: ScenarioSteps = {
  prepare: (stage) => {
    stage.expected.moreCrashes = stage.crash.fault?.fault.times ?? 1
    return Promise.resolve()
  },
  after: checkMoreDumps,
}

/** The capture of the second crash ends in an error that names its phase; the dump stays, and comes after a restart. */
async function checkOutOfMemory(stage: Stage): Promise<void> {
  await checkMoreDumps(stage)
  const { stoppedBy = 'nothing' } = stage
  const isNamed = /^Out of memory in phase "[^"]+": \d+ MiB needed/.test(stoppedBy)
  stage.check('phase named', isNamed, `the capture was stopped by: ${stoppedBy}`)
}

/** By the name of the fault; any other is met by a plain crash. */
export const faultSteps: Readonly<Partial<Record<FaultName, ScenarioSteps>>> = {
  'register-status': { prepare: registerRefused },
  'unregister-status': { prepare: unregisterRefused },
  'nmi-register-status': { prepare: restart, spoils: true },
  'no-extended-os-term': { prepare: restartWithoutExtension, spoils: true },
  'second-crash': crashesAgain,
  'crash-loop': crashesAgain,
  'capture-oom': { ...crashesAgain, after: checkOutOfMemory, spoils: true },
}
