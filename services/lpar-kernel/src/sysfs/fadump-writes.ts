/**
 * Writes to `registered` and `release_mem`: which condition answers which errno, in the kernel's order. The test of
 * "not enabled, or a dump is active" comes before anything is read of the value, and before `fadump_mutex` is taken;
 * whoever writes holds it (C138).
 */
import { Problem } from '@fadump-lab/shared/contracts'
import { runDumpService } from '../fadump/dump-service.ts'
import { fadumpRules, type FadumpRules } from '../fadump/profile-rules.ts'
import { registerFadump, unregisterFadump } from '../fadump/register.ts'
import { releaseDump } from '../fadump/release.ts'
import { errnoProblem, type Errno } from '../kernel/errno.ts'
import type { RunningKernel } from '../kernel/running-kernel.ts'

const registeredPath = '/sys/kernel/fadump_registered'
const releasePath = '/sys/kernel/fadump_release_mem'

/** Errors: EPERM. */
export function admitRegistered({ record: { fadump } }: RunningKernel): void {
  const why = !fadump.isEnabled
    ? 'fadump is not enabled; boot with fadump=on'
    : fadump.isDumpActive
      ? 'a dump is active; save it and release it first'
      : undefined
  if (why !== undefined) throw errnoProblem('EPERM', registeredPath, why)
}

export async function writeRegistered(kernel: RunningKernel, text: string): Promise<void> {
  const { fadump, profile } = kernel.record
  const refuse = (errno: Errno, why: string) => {
    throw errnoProblem(errno, registeredPath, why)
  }
  const rules = fadumpRules[profile]
  const value = parseWrite(text, rules.syntax)
  if (value !== 0 && value !== 1) refuse('EINVAL', `${JSON.stringify(text)} is neither 0 nor 1`)
  const isThatAlready = fadump.isRegistered === (value === 1)
  const errno = value === 1 ? await register(kernel, rules) : await unregister(kernel, rules)
  if (errno === undefined) return
  const isRuled = errno === (value === 1 ? rules.whenAlreadyRegistered : rules.whenNotRegistered)
  refuse(errno, isThatAlready && isRuled ? `it is ${value} already` : firmwareRefusal(errno))
}

function firmwareRefusal(errno: Errno): string {
  return refusals[errno] ?? 'firmware refused; see the kernel log'
}

const refusals: Partial<Record<Errno, string>> = {
  ENODEV: 'no memory is reserved for the dump; see the kernel log',
  EEXIST: 'firmware says that a dump is registered already',
}

async function register(kernel: RunningKernel, rules: FadumpRules): Promise<Errno | undefined> {
  if (kernel.record.fadump.isRegistered) {
    if (rules.whenAlreadyRegistered !== 'register again') return rules.whenAlreadyRegistered
    await unregisterFadump(kernel)
  }
  return registerFadump(kernel)
}

async function unregister(kernel: RunningKernel, rules: FadumpRules): Promise<Errno | undefined> {
  if (!kernel.record.fadump.isRegistered) {
    return rules.whenNotRegistered === 'nothing' ? undefined : rules.whenNotRegistered
  }
  await unregisterFadump(kernel)
  return undefined
}

/** The number in a written text, `undefined` when it is none. */
function parseWrite(text: string, syntax: FadumpRules['syntax']): number | undefined {
  const pattern =
    syntax === 'first-character'
      ? /^([01])/
      : /^\+?(0x[0-9a-f]{1,8}|0[0-7]{0,9}|[1-9][0-9]{0,8})\n?$/i
  const digits = pattern.exec(text)?.[1]
  if (digits === undefined) return undefined
  return /^0[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number(digits)
}

/** Errors: EPERM, EINVAL. A release that a host left behind half done is let through, to be completed. */
export function admitReleaseMem({ record }: RunningKernel, text: string): void {
  const { fadump, profile, isServiceDue } = record
  if (!fadump.isDumpActive && !isServiceDue) throw released()
  if (parseWrite(text, fadumpRules[profile].syntax) !== 1) {
    throw errnoProblem('EINVAL', releasePath, `${JSON.stringify(text)} is not 1`)
  }
}

/** Of two writers that come at once the second finds nothing to do, and sees success. */
export async function writeReleaseMem(kernel: RunningKernel): Promise<void> {
  if (kernel.record.isServiceDue) {
    await runDumpService(kernel)
    throw released()
  }
  if (!kernel.record.fadump.isDumpActive) return
  // What firmware says is logged only: the memory is free, and the writer sees success.
  if ((await releaseDump(kernel)) === 'conflict') {
    throw new Problem(
      'conflict',
      `${releasePath}: another host changes partition ${kernel.record.partition}`,
    )
  }
  await runDumpService(kernel)
}

function released(): Problem {
  return errnoProblem('EPERM', releasePath, 'no dump is active; it has been released already')
}
