/** Crashes of a partition whose processors or memory have changed while it ran: SMT modes, hotplug, DLPAR. */
import type { SoakScenarioName } from '@fadump-lab/shared/contracts'
import { cpuNotesOf } from '../crash-words.ts'
import type { ScenarioSteps, Stage } from '../stage.ts'

const blockBytes = 256n * 1024n * 1024n
/** Of the connectors of memory blocks and of processors: this, and the number (`drc_index`). */
const memoryIndexBase = 0x8000_0000n
const cpuIndexBase = 0x1000_0000
const dlparFile = 'kernel/dlpar'
/** The real mode area cannot be without it. */
const bootCpu = 0
/** Of POWER8 and later. */
const threadsPerCore = 8
/** Threads of a core that `ppc64_cpu --smt=` leaves online: off, 2, 4. */
const smtModes = [1, 2, 4] as const

function allCpus({ crash }: Stage): number[] {
  return Array.from({ length: crash.partition.processors }, (_, cpu) => cpu)
}

async function takeCpusOffline(stage: Stage): Promise<void> {
  const { crash } = stage
  const kept = 1 + crash.random.int(crash.partition.processors)
  await keepOnline(stage, (cpu) => cpu < kept)
}

async function setSmtMode(stage: Stage): Promise<void> {
  const mode = smtModes[stage.crash.random.int(smtModes.length)] ?? 1
  await keepOnline(stage, (cpu) => cpu % threadsPerCore < mode)
}

async function keepOnline(stage: Stage, isKept: (cpu: number) => boolean): Promise<void> {
  const { hands } = stage
  for (const cpu of allCpus(stage)) {
    if (!isKept(cpu)) await hands.write(`devices/system/cpu/cpu${cpu}/online`, '0')
  }
  await expectOnline(stage, allCpus(stage).filter(isKept))
}

/** `dlpar_cpu`: some leave the partition, and now and then one comes back. */
async function removeProcessors(stage: Stage): Promise<void> {
  const { hands, crash } = stage
  const cpus = allCpus(stage)
  const kept = 1 + crash.random.int(cpus.length)
  for (const cpu of cpus.slice(kept)) {
    await hands.write(dlparFile, `cpu remove index ${cpuIndexBase + cpu}`)
  }
  const isBack = kept < cpus.length && crash.random.int(2) === 0
  if (isBack) await hands.write(dlparFile, `cpu add index ${cpuIndexBase + kept}`)
  const left = cpus.slice(0, isBack ? kept + 1 : kept)
  const present = await hands.read('devices/system/cpu/present')
  stage.check('present CPUs', present === cpuList(left), `${present}, not ${cpuList(left)}`)
  await expectOnline(stage, left)
}

async function expectOnline(stage: Stage, cpus: readonly number[]): Promise<void> {
  const { hands, crash, expected } = stage
  const online = await hands.read('devices/system/cpu/online')
  stage.check('online CPUs', online === cpuList(cpus), `${online}, not ${cpuList(cpus)}`)
  expected.cpuNotes = cpuNotesOf(crash.partition.profile, crash.cause, cpus.length)
}

/** Of CPUs from the boot CPU on without a gap, as the kernel prints a mask. */
function cpuList({ length }: readonly number[]): string {
  return length === 1 ? `${bootCpu}` : `${bootCpu}-${length - 1}`
}

async function addMemory(stage: Stage): Promise<bigint> {
  const { hands } = stage
  await hands.write(dlparFile, 'memory add count 1')
  const now = await hands.until(
    'registered with the new block',
    ({ registration, addedMemory }) => registration === 'registered' && addedMemory.length === 1,
  )
  const [added] = now.addedMemory
  stage.check('added', added?.length === blockBytes, `${added?.length} bytes were added`)
  return added?.address ?? 0n
}

async function removeMemory(stage: Stage): Promise<void> {
  const { hands } = stage
  const index = memoryIndexBase + (await addMemory(stage)) / blockBytes
  await hands.write(dlparFile, `memory remove index ${index}`)
  await hands.until(
    'registered without the block',
    ({ registration, addedMemory }) => registration === 'registered' && addedMemory.length === 0,
  )
}

const roomForOneBlock: Required<ScenarioSteps>['change'] = ({ partition }) => ({
  maximumMemoryBytes: partition.memoryBytes + Number(blockBytes),
})

export const reconfiguredScenarios = {
  'cpus-offline': { prepare: takeCpusOffline, spoils: true },
  'smt-mode': { prepare: setSmtMode, spoils: true },
  'processors-removed': { prepare: removeProcessors, spoils: true },
  'memory-added': {
    change: roomForOneBlock,
    prepare: async (stage) => void (await addMemory(stage)),
  },
  'memory-removed': { change: roomForOneBlock, prepare: removeMemory },
} as const satisfies Partial<Record<SoakScenarioName, ScenarioSteps>>
