/** What a dying kernel prints: announcement, oops with registers, panic, call trace. Words and order are Linux'. */
import type { KernelProfileName } from '@fadump-lab/shared/contracts'
import { machineStateText, ptRegsIndex, type PtRegs } from '@fadump-lab/shared/fadump'
import { kernelBuilds } from '../memory/kernel-image.ts'
import { symbolText, textAddress, type TextPlace } from '../memory/kernel-text.ts'
import type { CrashPath } from './causes.ts'

export interface CrashScene {
  readonly profile: KernelProfileName
  readonly path: CrashPath
  readonly cpu: number
  readonly nrCpus: number
  readonly pageBytes: number
  /** At the place where the CPU was, whatever the crash info header will hold. */
  readonly registers: PtRegs
}

/** Level of oops and panic lines: v5 prints most of them without one, at the default. */
export const crashLogLevel = { v5: 4, modern: 0 } as const

/** The lines up to the call of firmware. Modern kernels print nothing for a system reset. */
export function crashLines(scene: CrashScene): string[] {
  const { path, profile } = scene
  if (path.road === 'reset' && profile === 'modern') return []
  return [
    ...path.announces.map((line) => fillIn(line, scene)),
    ...(path.oops === undefined ? [] : oopsLines(scene, path.oops)),
    ...(path.panic === undefined ? [] : panicLines(scene, path.panic)),
  ]
}

function oopsLines(
  scene: CrashScene,
  oops: { readonly text: string; readonly signal: number },
): string[] {
  return [
    `Oops: ${oops.text}, sig: ${oops.signal} [#1]`,
    scene.profile === 'v5'
      ? `SMP NR_CPUS=${scene.nrCpus} NUMA pSeries`
      : `LE PAGE_SIZE=${scene.pageBytes / 1024}K MMU=Radix  SMP NR_CPUS=${scene.nrCpus} NUMA pSeries`,
    'Modules linked in: ehea',
    ...registerLines(scene),
    ...traceLines(scene),
    '---[ end trace 0000000000000000 ]---',
  ]
}

function panicLines(scene: CrashScene, message: string): string[] {
  const panic = `Kernel panic - not syncing: ${message}`
  if (scene.profile === 'v5') return [panic, ...traceLines(scene)]
  const { command, pid } = scene.path.task
  const build = kernelBuilds.modern
  return [
    panic,
    `CPU: ${scene.cpu} UID: 0 PID: ${pid} Comm: ${fillIn(command, scene)} Not tainted ${build.release} #1`,
    'Hardware name: IBM,9009-42A POWER9 (architected) 0x4e1202 0xf000005 pSeries',
    ...traceLines(scene),
  ]
}

/** `show_regs`. */
function registerLines(scene: CrashScene): string[] {
  const { registers, profile, path, cpu } = scene
  const value = (index: number) => hex16(registers[index] ?? 0n)
  const { release } = kernelBuilds[profile]
  const trap = (registers[ptRegsIndex.trap] ?? 0n).toString(16).padStart(4, '0')
  const general = Array.from(
    { length: 8 },
    (_, row) =>
      `GPR${String(4 * row).padStart(2, '0')}: ${[0, 1, 2, 3].map((n) => value(4 * row + n)).join(' ')} `,
  )
  const faults =
    path.trap === 0x300n
      ? [`DAR: ${value(ptRegsIndex.dar)}, DSISR: ${value(ptRegsIndex.dsisr)}`]
      : []
  return [
    `NIP: ${value(ptRegsIndex.nip)} LR: ${value(ptRegsIndex.link)} CTR: ${value(ptRegsIndex.ctr)}`,
    `REGS: ${hex16((registers[1] ?? 0n) - 0x170n)} TRAP: ${trap}   Not tainted  (${release})`,
    `MSR: ${value(ptRegsIndex.msr)} <${machineStateText(registers[ptRegsIndex.msr] ?? 0n)}>  ` +
      `CR: ${(registers[ptRegsIndex.ccr] ?? 0n).toString(16).padStart(8, '0')}  XER: ${(registers[ptRegsIndex.xer] ?? 0n).toString(16).padStart(8, '0')}`,
    ...faults,
    `TASK = ${hex16((registers[13] ?? 0n) + 0x100n)}[${path.task.pid}] '${fillIn(path.task.command, scene)}' THREAD: ${hex16((registers[1] ?? 0n) & ~0x3fffn)} CPU: ${cpu}`,
    ...general,
    `NIP [${value(ptRegsIndex.nip)}] ${symbolText(path.nip, profile)}`,
    `LR [${value(ptRegsIndex.link)}] ${symbolText(path.link, profile)}`,
  ]
}

function traceLines({ path, registers, profile }: CrashScene): string[] {
  const stack = registers[1] ?? 0n
  const frames = [path.nip, path.link, ...path.callers].map((place, index) =>
    traceLine(stack + BigInt(index) * 0x70n, place, profile),
  )
  return ['Call Trace:', ...frames]
}

function traceLine(frame: bigint, place: TextPlace, profile: KernelProfileName): string {
  return `[${hex16(frame)}] [${hex16(textAddress(place))}] ${symbolText(place, profile)}`
}

function fillIn(line: string, scene: CrashScene): string {
  const { registers, path, profile } = scene
  const timeBase = 0x1000_0000_0000n + BigInt(scene.cpu)
  const values: Readonly<Record<string, string>> = {
    cpu: `${scene.cpu}`,
    nip: hex16(registers[ptRegsIndex.nip] ?? 0n),
    nipSymbol: symbolText(path.nip, profile),
    dar8: (registers[ptRegsIndex.dar] ?? 0n).toString(16).padStart(8, '0'),
    timeBase: `${timeBase}`,
    heartbeat: `${timeBase - 5_238_272_000n}`,
  }
  return line.replaceAll(/\{(\w+)\}/g, (_match, name: string) => values[name] ?? '')
}

function hex16(value: bigint): string {
  return value.toString(16).padStart(16, '0')
}
