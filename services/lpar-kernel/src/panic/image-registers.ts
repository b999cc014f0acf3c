/** Registers of a CPU that was imported: the image's truth, whatever the cause of the crash. */
import { ptRegsOfEntries, registerId, type PtRegs } from '@fadump-lab/shared/fadump'
import { profileOf } from '../kernel/kernel-record.ts'
import type { RunningKernel } from '../kernel/running-kernel.ts'

/**
 * All of `pt_regs` when the record keeps them (those that hold more than a save area can tell, the crashing CPU's
 * first of all), else what firmware has of the CPU.
 */
export async function imageRegisters(kernel: RunningKernel, cpu: number): Promise<PtRegs> {
  const profile = profileOf(kernel.record)
  const kept = kernel.record.imageRegisters[String(cpu)]
  if (kept !== undefined) return kept.slice(0, profile.ptRegsCount)
  const vcpus = await kernel.firmware.vcpus()
  const entries = Object.entries(vcpus.find((vcpu) => vcpu.cpu === cpu)?.registers ?? {})
  return ptRegsOfEntries(
    entries.map(([name, value]) => ({ id: registerId(name), value })),
    profile,
  )
}
