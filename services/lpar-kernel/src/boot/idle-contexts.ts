/**
 * What CPUs hold while nothing happens: every online CPU sits in the hypervisor call H_CEDE. Registers carry the names
 * of PAPR's register save area. Each CPU has its own stack, PACA and time base, so no two are alike.
 */
import type { KernelProfileName, Vcpu } from '@fadump-lab/shared/contracts'
import { pacaAddress, stackTop, tableOfContents } from '../memory/kernel-image.ts'
import { textAddress, type TextPlace } from '../memory/kernel-text.ts'

interface IdlePlace {
  readonly nip: TextPlace
  readonly link: TextPlace
  readonly msr: bigint
}

/** Behind the `sc 1` of `plpar_hcall_norets`; who called it; SF, EE, ME, IR, DR, RI (and VEC, VSX, LE). */
const idlePlaces: Readonly<Record<KernelProfileName, IdlePlace>> = {
  v5: {
    nip: ['plpar_hcall_norets', 0x18],
    link: ['pseries_dedicated_idle_sleep', 0xe8],
    msr: 0x8000_0000_0000_9032n,
  },
  modern: {
    nip: ['plpar_hcall_norets', 0x18],
    link: ['check_and_cede_processor', 0x48],
    msr: 0x8000_0000_0280_b033n,
  },
}

/** Below the top of the stack: frames of the idle loop. */
const idleFrameBytes = 0x2b0n
const conditionRegister = 0x4400_0022n
/** The Processor Version Register of POWER7 2.3 and POWER9 2.2. */
const processorVersion = { v5: 0x3f_0203n, modern: 0x4e_1202n } as const

export function idleRegisters(profile: KernelProfileName, cpu: number): Record<string, bigint> {
  const { nip, link, msr } = idlePlaces[profile]
  const number = BigInt(cpu)
  const general: Record<number, bigint> = {
    0: conditionRegister,
    1: stackTop(cpu) - idleFrameBytes,
    2: tableOfContents,
    // H_CEDE returned H_SUCCESS.
    3: 0n,
    11: stackTop(cpu) - idleFrameBytes + 0x30n,
    12: textAddress(link),
    13: pacaAddress(cpu),
    25: 0x1000_0000_0000n + (number << 24n),
    27: pacaAddress(cpu) + 0x40n,
    28: textAddress(nip),
    30: number,
    31: 0x5044_0000n + number,
  }
  return {
    ...Object.fromEntries(
      Array.from({ length: 32 }, (_, index) => [
        `GPR${String(index).padStart(2, '0')}`,
        general[index] ?? 0n,
      ]),
    ),
    NIA: textAddress(nip),
    MSR: msr,
    LR: textAddress(link),
    CTR: textAddress([profile === 'v5' ? 'pseries_dedicated_idle_sleep' : 'do_idle', 0]),
    XER: 0n,
    CR: conditionRegister,
    DAR: 0n,
    DSISR: 0n,
    PIR: number,
    PVR: processorVersion[profile],
    SRR0: textAddress(nip),
    SRR1: msr,
    SPRG3: number,
  }
}

/** The contexts of all CPUs after boot. */
export function idleVcpus(
  profile: KernelProfileName,
  processors: number,
  offline: ReadonlySet<number>,
): Vcpu[] {
  return Array.from({ length: processors }, (_, cpu) => ({
    cpu,
    online: !offline.has(cpu),
    registers: offline.has(cpu) ? {} : idleRegisters(profile, cpu),
  }))
}
