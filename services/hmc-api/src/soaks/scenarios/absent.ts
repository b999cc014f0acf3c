/** Crashes without a dump: that there is none is as much a claim as that there is one, and has its reason. */
import type { KernelProfileName, SoakScenarioName } from '@fadump-lab/shared/contracts'
import { registeredFile, type PartitionChange } from '../hands.ts'
import type { ScenarioSteps, Stage } from '../stage.ts'
import { crashByConsole } from './ordinary.ts'

const enabled = 'kernel/fadump_enabled'
const expectNone = (stage: Stage, reason: string): void => {
  stage.expected.outcome = 'no dump'
  stage.expected.reason = reason
}

/** fadump is off: kexec's kdump would have taken the dump, if the lab had any. */
async function expectKdump(stage: Stage): Promise<void> {
  const { hands } = stage
  const state = await readOr(hands.read(enabled), '0')
  stage.check('fadump is off', state === '0', `${enabled} reads ${state}`)
  const { registration } = await hands.state()
  stage.check('nothing registered', registration === 'idle', `the registration is ${registration}`)
  expectNone(stage, 'fadump is not enabled: a dump would have been kdump’s')
}

async function expectCrashkernel(stage: Stage): Promise<void> {
  await expectKdump(stage)
  const log = await stage.hands.proc('kmsg')
  const line =
    /Reserving 256MB of memory at \d+MB for crashkernel|crashkernel reserved: .*\(256 MB\)/
  stage.check('crashkernel', line.test(log), 'the log tells of no memory for a crash kernel')
}

async function readOr(text: Promise<string>, otherwise: string): Promise<string> {
  return text.catch(() => otherwise)
}

/** Linux 6.12 registers by itself when it boots: there user space takes it back. */
async function expectNoService(stage: Stage): Promise<void> {
  const { hands, crash } = stage
  if (crash.partition.profile === 'modern') {
    await hands.until('registered', (now) => now.registration === 'registered')
    await hands.write(registeredFile, '0')
  }
  const { registration } = await hands.state()
  stage.check('nothing registered', registration === 'idle', `the registration is ${registration}`)
  expectNone(stage, 'user space has registered nothing')
}

/** The capture kernel dies of want of memory; its initramfs reboots, and Linux invalidates the dump on its way down. */
async function expectOutOfMemory(stage: Stage): Promise<void> {
  await stage.hands.until('registered', ({ registration }) => registration === 'registered')
  expectNone(stage, 'the capture kernel runs out of memory')
}

async function checkOutOfMemory(stage: Stage): Promise<void> {
  const failed = stage.story.rows.find(({ event }) => event === 'captureFailed')
  // A service that was killed after the change and before its event has left it untold.
  if (failed === undefined && stage.isDisturbed) return
  stage.check(
    'ran out of memory',
    failed !== undefined,
    'no capture kernel has told that it failed',
  )
  const phase = failed?.detail?.['phase']
  stage.check('in a named phase', typeof phase === 'string', `the phase is ${String(phase)}`)
}

async function restart(stage: Stage): Promise<void> {
  expectNone(stage, 'a restart is no crash')
  stage.job = await stage.hands.restart()
}

async function powerOff(stage: Stage): Promise<void> {
  expectNone(stage, 'a power off is no crash')
  stage.expected.endState = 'not-activated'
  stage.job = await stage.hands.shutdown()
}

/**
 * Eight queues of ehea: link up needs 255 MiB (docs/network-dump-oom.md). 6.12 registers nothing below 320 MiB of boot memory;
 * there the key of an encrypted disk takes more than that.
 */
const lowMemory: Readonly<Record<KernelProfileName, PartitionChange>> = {
  v5: {
    bootArguments: 'fadump=on fadump_reserve_mem=240M',
    capture: { card: 'ehea', queues: 8, preset: '2011', failureAction: 'reboot' },
  },
  modern: { capture: { luksMiB: 1024, failureAction: 'reboot' } },
}

export const absentScenarios = {
  'junk-value': { change: () => ({ bootArguments: 'fadump=xyz' }), prepare: expectKdump },
  'off-value': {
    change: () => ({ bootArguments: 'fadump=off crashkernel=256M' }),
    prepare: expectCrashkernel,
  },
  'service-off': { change: () => ({ dumpService: false }), prepare: expectNoService },
  'low-memory': {
    change: ({ partition }) => lowMemory[partition.profile],
    prepare: expectOutOfMemory,
    crash: crashByConsole,
    after: checkOutOfMemory,
  },
  'watchdog-restart': { crash: restart },
  'watchdog-off': { crash: powerOff, spoils: true },
} as const satisfies Partial<Record<SoakScenarioName, ScenarioSteps>>
