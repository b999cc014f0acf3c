/** The VMCOREINFO text of a kernel of ours, without CRASHTIME. */
import { vmcoreinfoRules } from '@fadump-lab/shared/elf'
import { kernelVmcoreinfo } from '../memory/kernel-vmcoreinfo.ts'
import { logOf } from './kernel-log.ts'
import type { KernelRecord } from './kernel-record.ts'

export function vmcoreinfoTextOf(record: Pick<KernelRecord, 'profile' | 'pageSize'>): string {
  const { profile } = record
  const pageBytes = Number(record.pageSize)
  const { log, layout } = logOf(profile)
  return kernelVmcoreinfo({
    profile,
    pageBytes,
    log: log.vmcoreinfo(layout),
    rules: vmcoreinfoRules(profile, pageBytes),
  })
}
