/** What the CPUs hold when the kernel dies: the crashing one by cause, the others idle, waiting or as imported. */
import type { KernelProfileName, Vcpu } from '@fadump-lab/shared/contracts'
import {
  emptyPtRegs,
  ptRegsIndex,
  type KernelProfile,
  type PtRegs,
} from '@fadump-lab/shared/fadump'
import { idleRegisters } from '../boot/idle-contexts.ts'
import { pacaAddress, stackTop, tableOfContents } from '../memory/kernel-image.ts'
import { textAddress, type TextPlace } from '../memory/kernel-text.ts'
import {
  crashMachineState,
  panicPlaces,
  programCheckTrap,
  resetWaitPlaces,
  stoppedPlaces,
  type CrashPath,
} from './causes.ts'

/** Stack frames of the way from the event to the place that a register set belongs to. */
const frameBytes = { event: 0x3c0n, panic: 0x7a0n }
const conditionRegister = 0x2800_4284n
const fixedPointException = 0x2004_0006n

export interface CrashPlace {
  readonly profile: KernelProfile
  readonly path: CrashPath
  readonly cpu: number
}

/** The CPU at the event itself: what the oops prints. */
export function registersAtEvent(place: CrashPlace): PtRegs {
  const { profile, path, cpu } = place
  const registers = registersAt(place, { nip: path.nip, link: path.link, frame: frameBytes.event })
  const state = crashMachineState[profile.name]
  registers[ptRegsIndex.msr] =
    path.trap === 0x700n ? state.interrupted | programCheckTrap : state.interrupted
  registers[ptRegsIndex.trap] = path.trap
  registers[ptRegsIndex.dar] = path.dar
  registers[ptRegsIndex.dsisr] = path.dsisr
  // The base register of the faulting access: a NULL pointer.
  if (path.trap === 0x300n) registers[31] = 0n
  registers[ptRegsIndex.softe] = path.trap === 0n ? 0n : 1n
  if (path.road === 'reset') return resetRegisters(registers, profile.name, cpu)
  return registers
}

/** What goes into the crash info header: the event's registers, or those of `crash_fadump` when it is told none. */
export function headerRegisters(place: CrashPlace): PtRegs {
  const { profile, path } = place
  if (path.road !== 'panic') return registersAtEvent(place)
  const { nip, link } = panicPlaces[profile.name]
  const registers = registersAt(place, { nip, link, frame: frameBytes.panic })
  registers[ptRegsIndex.msr] = crashMachineState[profile.name].disabled
  registers[ptRegsIndex.xer] = fixedPointException
  return registers
}

/**
 * The other CPUs, where the crash of one has moved them: after a system reset those that took the exception wait for the
 * first; `panic` of 3.4 has stopped them. Firmware saves all of them (C052).
 */
export function otherVcpus(
  profile: KernelProfileName,
  road: CrashPath['road'],
  others: readonly number[],
): Vcpu[] {
  const stopped = stoppedPlaces[profile]
  if (road === 'reset') {
    const link = textAddress(['system_reset_exception', 0x4c])
    return others.map((cpu) =>
      movedVcpu(profile, cpu, { NIA: textAddress(resetWaitPlaces[profile]), LR: link }),
    )
  }
  if (road === 'oops' || stopped === undefined) return []
  return others.map((cpu) => movedVcpu(profile, cpu, { NIA: textAddress(stopped) }))
}

function movedVcpu(
  profile: KernelProfileName,
  cpu: number,
  moved: Readonly<Record<string, bigint>>,
): Vcpu {
  return {
    cpu,
    online: true,
    registers: {
      ...idleRegisters(profile, cpu),
      ...moved,
      MSR: crashMachineState[profile].disabled,
      GPR01: stackTop(cpu) - frameBytes.event,
    },
  }
}

function registersAt(
  { profile, cpu, path }: CrashPlace,
  at: { readonly nip: TextPlace; readonly link: TextPlace; readonly frame: bigint },
): bigint[] {
  const registers = emptyPtRegs(profile)
  const caller = path.callers[0] ?? path.link
  registers[0] = textAddress(at.link)
  registers[1] = stackTop(cpu) - at.frame
  registers[2] = tableOfContents
  registers[3] = path.dar
  registers[4] = textAddress(caller)
  registers[9] = 1n
  registers[12] = textAddress(at.nip)
  registers[13] = pacaAddress(cpu)
  registers[28] = textAddress(at.link)
  registers[30] = BigInt(cpu)
  registers[31] = stackTop(cpu) - at.frame + 0x70n
  registers[ptRegsIndex.nip] = textAddress(at.nip)
  registers[ptRegsIndex.link] = textAddress(at.link)
  registers[ptRegsIndex.ctr] = textAddress([at.nip[0], 0])
  registers[ptRegsIndex.ccr] = conditionRegister
  return registers
}

/** An idle CPU that is interrupted holds what it held. */
function resetRegisters(registers: bigint[], profile: KernelProfileName, cpu: number): PtRegs {
  const idle = idleRegisters(profile, cpu)
  for (let index = 0; index < 32; index += 1) {
    registers[index] = idle[`GPR${String(index).padStart(2, '0')}`] ?? 0n
  }
  registers[ptRegsIndex.ctr] = idle['CTR'] ?? 0n
  registers[ptRegsIndex.ccr] = idle['CR'] ?? 0n
  registers[ptRegsIndex.msr] = idle['MSR'] ?? 0n
  return registers
}
