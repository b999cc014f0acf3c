/**
 * Processors come and go while the kernel runs: online and offline by the kernel itself, added and removed by dynamic
 * reconfiguration (`dlpar_cpu` of pseries). What is added are the partition's own processors that were removed before.
 * A registered dump needs nothing of it: the register save area has room for all, and firmware saves those that are
 * online then (C052).
 */
import type { KernelProfileName, Vcpu } from '@fadump-lab/shared/contracts'
import { idleRegisters } from '../boot/idle-contexts.ts'
import { errnoProblem } from '../kernel/errno.ts'
import { onlineCpus, possibleCpus } from '../kernel/kernel-record.ts'
import type { RunningKernel } from '../kernel/running-kernel.ts'
import { kstrtou32 } from './numbers.ts'

/** Index of a dynamic reconfiguration connector of a processor: this, and the processor's number. */
export const cpuIndexBase = 0x1000_0000
const warning = 4

/** Name of a processor's node below /cpus. */
const nodeNames: Readonly<Record<KernelProfileName, string>> = {
  v5: 'PowerPC,POWER7',
  modern: 'PowerPC,POWER9',
}

/** Takes a CPU that is there offline or online. */
export async function setOnline(
  kernel: RunningKernel,
  cpu: number,
  online: boolean,
): Promise<void> {
  const { profile, offlineCpus } = kernel.record
  const registers = online ? idleRegisters(profile, cpu) : {}
  const vcpu: Vcpu = { cpu, online, registers }
  await kernel.firmware.putVcpus([vcpu])
  await kernel.update({
    offlineCpus: online
      ? offlineCpus.filter((other) => other !== cpu)
      : [...new Set([...offlineCpus, cpu])].toSorted((a, b) => a - b),
  })
}

/** `dlpar_cpu_add`: the processor is there again, and online. Errors: EINVAL. */
export async function addCpu(kernel: RunningKernel, index: number, path: string): Promise<void> {
  const { removedCpus } = kernel.record
  const cpu = cpuOf(kernel, index)
  if (cpu !== undefined && !removedCpus.includes(cpu)) {
    await say(kernel, `CPU with drc index ${index.toString(16)} already exists`)
    throw errnoProblem('EINVAL', path, `processor ${cpu} is there already`)
  }
  if (cpu === undefined) {
    await say(kernel, `Cannot find CPU (drc index ${index.toString(16)}) to add.`)
    throw errnoProblem('EINVAL', path, `the partition has no processor of that index`)
  }
  await kernel.update({ removedCpus: removedCpus.filter((other) => other !== cpu) })
  await setOnline(kernel, cpu, true)
}

/** `dlpar_cpu_remove`. Errors: ENODEV for an index that names none, EINVAL for the last one online. */
export async function removeCpu(kernel: RunningKernel, index: number, path: string): Promise<void> {
  const { record } = kernel
  const cpu = cpuOf(kernel, index)
  if (cpu === undefined || record.removedCpus.includes(cpu)) {
    await say(kernel, `Cannot find CPU (drc index ${index.toString(16)}) to remove`)
    throw errnoProblem('ENODEV', path, 'the partition has no processor of that index')
  }
  const online = onlineCpus(record)
  if (online.length === 1 && online[0] === cpu) {
    const node = nodeNames[record.profile]
    await say(kernel, `Unable to remove last online CPU ${node}`)
    await say(kernel, `Failed to offline CPU ${node}, rc: -16`)
    throw errnoProblem('EINVAL', path, `processor ${cpu} is the last one online`)
  }
  if (online.includes(cpu)) await setOnline(kernel, cpu, false)
  const { removedCpus } = kernel.record
  await kernel.update({ removedCpus: [...removedCpus, cpu].toSorted((a, b) => a - b) })
}

const probePath = '/sys/devices/system/cpu/probe'
const releasePath = '/sys/devices/system/cpu/release'

/** 3.4, and still there: the index of the connector. Every refusal is EINVAL (`dlpar_cpu_probe`). */
export async function writeCpuProbe(kernel: RunningKernel, text: string): Promise<void> {
  const index = kstrtou32(text)
  if (index === undefined) {
    throw errnoProblem('EINVAL', probePath, `${JSON.stringify(text.slice(0, 64))} is no index`)
  }
  await addCpu(kernel, index, probePath)
}

/** The path of the processor's node, letter by letter, so without a newline (`dlpar_cpu_release`). */
export async function writeCpuRelease(kernel: RunningKernel, text: string): Promise<void> {
  const { profile, removedCpus } = kernel.record
  const cpu = possibleCpus(kernel.record).find(
    (number) =>
      !removedCpus.includes(number) &&
      text === `/cpus/${nodeNames[profile]}@${number.toString(16)}`,
  )
  if (cpu === undefined) {
    throw errnoProblem(
      'EINVAL',
      releasePath,
      `${JSON.stringify(text.slice(0, 64))} is no node of a processor, such as /cpus/${nodeNames[profile]}@1`,
    )
  }
  await removeCpu(kernel, cpuIndexBase + cpu, releasePath)
}

function cpuOf({ record }: RunningKernel, index: number): number | undefined {
  return possibleCpus(record).find((cpu) => cpuIndexBase + cpu === index)
}

/** 3.4 says nothing. */
async function say(kernel: RunningKernel, text: string): Promise<void> {
  if (kernel.record.profile === 'v5') return
  await kernel.printk([{ text: `pseries-hotplug-cpu: ${text}`, level: warning }])
}
