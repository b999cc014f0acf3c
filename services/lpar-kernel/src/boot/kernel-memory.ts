/** What a kernel of ours puts into memory when it boots: its image, its log, VMCOREINFO. */
import { encodeVmcoreinfoArea, vmcoreinfoRules } from '@fadump-lab/shared/elf'
import type { ReservationPlan } from '@fadump-lab/shared/fadump'
import { rangeLength } from '@fadump-lab/shared/units'
import { startLog } from '../kernel/kernel-log.ts'
import { vmcoreinfoTextOf } from '../kernel/vmcoreinfo-text.ts'
import { kernelImageWrites, symbolAddress } from '../memory/kernel-image.ts'
import {
  memoryBytesOf,
  memoryEndOf,
  nrCpuIdsOf,
  offlineCpusOf,
  type BootContext,
} from './boot-context.ts'
import { bootLines, kernelUseBytes } from './boot-log.ts'
import { reserveCrashkernel } from './crashkernel.ts'

export async function writeKernelMemory(
  context: BootContext,
  plan: ReservationPlan,
  /** What only this boot has to say, after the usual lines. */
  more: readonly string[] = [],
): Promise<void> {
  const { memory, partition, profile } = context
  await memory.writeAll(kernelImageWrites(partition.profile, partition.id))
  const { pageSize, name } = profile
  const text = vmcoreinfoTextOf({ profile: name, pageSize })
  const rules = vmcoreinfoRules(name, Number(pageSize))
  await memory.write(
    symbolAddress('vmcoreinfo_note'),
    encodeVmcoreinfoArea(text, profile.byteOrder, rules),
  )
  await startLog(memory, name, [...logLines(context, plan), ...more])
}

function logLines(context: BootContext, plan: ReservationPlan): string[] {
  const { facts, partition, profile } = context
  const memoryBytes = memoryBytesOf(facts)
  const reserved =
    plan.preserved.length > 0
      ? plan.preserved.reduce((sum, range) => sum + rangeLength(range), 0n)
      : plan.area === undefined
        ? 0n
        : rangeLength(plan.area)
  const crashkernel = reserveCrashkernel(context, plan)
  const kdump = crashkernel.area === undefined ? 0n : rangeLength(crashkernel.area)
  const used = reserved + kdump + kernelUseBytes(memoryBytes)
  return bootLines({
    profile: profile.name,
    memoryBytes,
    pageBytes: profile.pageSize,
    processors: partition.processors,
    onlineProcessors: partition.processors - offlineCpusOf(context, false).length,
    nrCpus: profile.nrCpus,
    nrCpuIds: nrCpuIdsOf(context),
    commandLine: facts.bootArguments,
    lentBytes: plan.cmaArea === undefined ? 0n : rangeLength(plan.cmaArea),
    memoryEnd: memoryEndOf(facts),
    availableBytes: memoryBytes > used ? memoryBytes - used : 0n,
    early: [...facts.firmwareDump.log, ...plan.log, ...crashkernel.log],
    later: plan.laterLog,
  })
}
