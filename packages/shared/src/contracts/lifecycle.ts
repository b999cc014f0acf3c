/** The state machines that more than one service speaks of. `docs/state-machines.md` draws them from these tables. */
import { z } from 'zod'
import { machine } from '../units/index.ts'

/**
 * A partition as the hypervisor sees it. `terminated` is the crash of a partition that had registered no dump;
 * `dumping` is the short time in which firmware preserves memory.
 */
export const partitionMachine = machine('partition', {
  'not-activated': { activate: 'starting' },
  starting: {
    booted: 'running',
    powerOff: 'not-activated',
    bootFailed: 'error',
    terminate: 'dumping',
    terminateUnregistered: 'terminated',
    restart: 'starting',
  },
  running: {
    terminate: 'dumping',
    terminateUnregistered: 'terminated',
    restart: 'starting',
    powerOff: 'not-activated',
  },
  dumping: {
    preserved: 'capture-starting',
    preserveFailed: 'terminated',
    powerOff: 'not-activated',
  },
  'capture-starting': {
    booted: 'capturing',
    rejected: 'starting',
    restart: 'capture-starting',
    terminateUnregistered: 'terminated',
    powerOff: 'not-activated',
    bootFailed: 'error',
  },
  capturing: {
    released: 'running',
    restart: 'capture-starting',
    terminateUnregistered: 'terminated',
    powerOff: 'not-activated',
    bootFailed: 'error',
  },
  terminated: {
    restart: 'starting',
    captureRestart: 'capture-starting',
    powerOff: 'not-activated',
  },
  error: { powerOff: 'not-activated', restart: 'starting', captureRestart: 'capture-starting' },
})

export const partitionState = z.enum(partitionMachine.states)
export type PartitionState = z.output<typeof partitionState>

/** The collector's job for one dump. */
export const captureMachine = machine('capture', {
  claimed: { transfer: 'transferring', fail: 'failed' },
  transferring: { transferred: 'verifying', resume: 'transferring', fail: 'failed' },
  verifying: { verified: 'storing', mismatch: 'transferring', fail: 'failed' },
  storing: { stored: 'releasing', fail: 'failed' },
  releasing: { released: 'complete', releaseRefused: 'complete' },
  complete: { rot: 'failed' },
  failed: { retry: 'claimed' },
})

export const captureState = z.enum(captureMachine.states)
export type CaptureState = z.output<typeof captureState>
