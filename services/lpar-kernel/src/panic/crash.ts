/**
 * A crash, from the event to firmware: `die` or `panic`, `crash_fadump`, `ibm,os-term`; and what the kernel does when
 * that call returns because nothing was registered.
 */
import { Problem, type CrashCause } from '@fadump-lab/shared/contracts'
import { appendCrashTime, encodeVmcoreinfoNote, vmcoreinfoRules } from '@fadump-lab/shared/elf'
import {
  crashInfoAddress,
  encodeCrashInfoHeader,
  namedRegistersOfPtRegs,
  type PtRegs,
} from '@fadump-lab/shared/fadump'
import { rtasStatus } from '@fadump-lab/shared/rtas'
import { fromAscii, type RealAddress } from '@fadump-lab/shared/units'
import { crashInfoOf, dumpStructureOf, type CrashFacts } from '../fadump/crash-info.ts'
import { doesNotReturn } from '../firmware/firmware-client.ts'
import { onlineCpus, profileOf, type KernelRecord } from '../kernel/kernel-record.ts'
import type { RunningKernel } from '../kernel/running-kernel.ts'
import { vmcoreinfoTextOf } from '../kernel/vmcoreinfo-text.ts'
import { crashPath, secondaryWaitMs, stoppedPlaces, type CrashPath } from './causes.ts'
import { crashLines, crashLogLevel } from './crash-log.ts'
import { headerRegisters, otherVcpus, registersAtEvent } from './crash-registers.ts'
import { imageRegisters } from './image-registers.ts'
import { followPanicPolicy } from './panic-policy.ts'

export interface Crash {
  readonly cause: CrashCause
  readonly cpu: number
  /** CPUs that take the exception of a system reset. Default: all that are online. */
  readonly reached?: readonly number[]
}

/** `rebooting`: the kernel has asked firmware for it; `halted`: panic=0; `ended`: firmware has switched it off. */
export type CrashOutcome = 'dumping' | 'rebooting' | 'halted' | 'ended'

/** The size of `rtas_os_term_buf`. */
const osTermBytesMax = 2048

/** The CPU a crash happens on. Errors: `invalid-configuration` for one that is not online. */
export function crashingCpuOf(record: KernelRecord, asked: number | undefined): number {
  const online = onlineCpus(record)
  const cpu = asked ?? record.crashingCpu ?? online[0] ?? 0
  if (online.includes(cpu)) return cpu
  const which = cpu < record.processors ? 'is offline' : 'does not exist'
  throw new Problem(
    'invalid-configuration',
    `CPU ${cpu} of partition ${record.partition} ${which}; ${online.length} CPUs are online, the first is ${online[0]}`,
  )
}

/** Runs the crash to its end. Errors: `stale-boot` when the boot is over already. */
export async function crash(kernel: RunningKernel, event: Crash): Promise<CrashOutcome> {
  const { record } = kernel
  const { cause, cpu } = event
  const path = crashPath(record.profile, cause)
  const registers = await stopCpus(kernel, path, event)
  await logCrash(kernel, path, cpu)
  const { isRegistered, isRegistering, canTerminate } = record.fadump
  if ((isRegistered || isRegistering) && canTerminate) {
    await fillCrashInfo(kernel, { cpu, registers, online: onlineAtDump(record, path, cpu) })
    if (path.road === 'reset') await waitForOthers(kernel, event)
    const status = await osTerm(kernel, messageOf(path))
    if (status === doesNotReturn) return 'dumping'
    if (status !== rtasStatus.success) {
      await kernel.printk([{ text: `ibm,os-term call failed ${status}`, level: 0 }], cpu)
    }
  } else {
    await fatal(kernel, path, cpu)
    if (canTerminate) {
      const status = await osTerm(kernel, path.panic ?? 'Fatal exception')
      if (status === doesNotReturn) return 'ended'
    }
  }
  return followPanicPolicy(kernel)
}

/** The contexts that firmware will find; gives the registers of the crash info header. */
async function stopCpus(
  kernel: RunningKernel,
  path: CrashPath,
  { cpu, reached }: Crash,
): Promise<PtRegs> {
  const { record } = kernel
  const profile = profileOf(record)
  if (record.isImage) return imageRegisters(kernel, cpu)
  const registers = headerRegisters({ profile, path, cpu })
  const others = (reached ?? onlineCpus(record)).filter((other) => other !== cpu)
  await kernel.firmware.putVcpus([
    { cpu, online: true, registers: namedRegistersOfPtRegs(registers) },
    ...otherVcpus(record.profile, path.road, others),
  ])
  return registers
}

/** `cpu_online_mask` when `crash_fadump` copies it. */
function onlineAtDump(record: KernelRecord, path: CrashPath, cpu: number): readonly number[] {
  const isStopped = path.road === 'panic' && stoppedPlaces[record.profile] !== undefined
  return isStopped ? [cpu] : onlineCpus(record)
}

/** C097: a CPU that does not take the exception must not keep the dump from being taken. */
async function waitForOthers(kernel: RunningKernel, { reached }: Crash): Promise<void> {
  const { record } = kernel
  const isComplete =
    reached === undefined || onlineCpus(record).every((cpu) => reached.includes(cpu))
  if (!isComplete) await kernel.sleep(secondaryWaitMs[record.profile])
}

async function logCrash(kernel: RunningKernel, path: CrashPath, cpu: number): Promise<void> {
  const { record } = kernel
  const profile = profileOf(record)
  const lines = crashLines({
    profile: record.profile,
    path,
    cpu,
    nrCpus: profile.nrCpus,
    pageBytes: Number(record.pageSize),
    registers: registersAtEvent({ profile, path, cpu }),
  })
  const level = crashLogLevel[record.profile]
  await kernel.printk(
    lines.map((text) => ({ text, level })),
    cpu,
  )
}

/** `crash_fadump`: CPU, registers and online mask into the header, the time into VMCOREINFO. */
async function fillCrashInfo(kernel: RunningKernel, facts: CrashFacts): Promise<void> {
  const { record } = kernel
  const structure = dumpStructureOf(record)
  if (structure === undefined) return
  const header = encodeCrashInfoHeader(crashInfoOf(record, structure, facts), profileOf(record))
  await kernel.memory.write(crashInfoAddress(structure), header)
  if (record.headerPage === 'freed') await writeOverHeader(kernel, crashInfoAddress(structure))
  if (record.isImage) return
  const rules = vmcoreinfoRules(record.profile, Number(record.pageSize))
  const text = appendCrashTime(vmcoreinfoTextOf(record), kernel.nowSeconds, rules)
  const note = encodeVmcoreinfoNote(text, profileOf(record).byteOrder)
  await kernel.memory.write(record.vmcoreinfo.address, note)
}

/** Defect `release-frees-header`: the page has another owner, who has written where the magic was. */
function writeOverHeader(kernel: RunningKernel, address: RealAddress): Promise<void> {
  return kernel.memory.write(address, fromAscii('somebody else is here'))
}

/** What `crash_fadump` is told, and with it firmware. */
function messageOf(path: CrashPath): string {
  return path.panic ?? (path.road === 'reset' ? 'System Reset' : 'die oops')
}

/** `rtas_os_term`: the message lies in memory, its real address goes to firmware. */
async function osTerm(
  kernel: RunningKernel,
  message: string,
): Promise<number | typeof doesNotReturn> {
  const { osTermAddress, rtas } = kernel.record
  const text = `OS panic: ${message}`.slice(0, osTermBytesMax - 1)
  await kernel.memory.write(osTermAddress, fromAscii(`${text}\0`))
  return kernel.firmware.callRtas({ token: rtas.osTerm ?? 0, args: [Number(osTermAddress)] })
}

/** Nothing takes a dump: an oops becomes a panic, as distributions set panic_on_oops=1. */
async function fatal(kernel: RunningKernel, path: CrashPath, cpu: number): Promise<void> {
  if (path.panic !== undefined) return
  const text = 'Kernel panic - not syncing: Fatal exception'
  await kernel.printk([{ text, level: 0 }], cpu)
}
