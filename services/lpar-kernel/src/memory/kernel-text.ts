/**
 * The text of our kernels: which function stands where. Addresses are ours; names are Linux'. Text is deterministic
 * bytes with a few real instructions at the places where CPUs are found, so that a disassembly of NIP makes sense.
 */
import type { KernelProfileName } from '@fadump-lab/shared/contracts'
import { linearMapBase } from '@fadump-lab/shared/elf'
import { invariant, viewOf } from '@fadump-lab/shared/units'

/** `[function, physical address, size]`, ascending. */
type FunctionRow = readonly [name: string, address: number, size: number]

/** Bytes of text, from physical address 0 on. */
export const kernelTextBytes = 0x8_0000

const shared = [
  ['arch_local_irq_restore', 0x0_f400, 0x80],
  ['plpar_hcall_norets', 0x1_1a40, 0x30],
  ['crash_fadump', 0x1_4000, 0x2a0],
  ['rtas_os_term', 0x1_5200, 0x110],
  ['die', 0x1_8000, 0x3c0],
  ['system_reset_exception', 0x1_8a00, 0x240],
  ['start_secondary', 0x2_1000, 0x300],
  ['panic', 0x3_2000, 0x310],
  ['notifier_call_chain', 0x3_9000, 0xb0],
  ['watchdog_timer_fn', 0x4_4000, 0x2c0],
  ['vfs_write', 0x5_1000, 0x1c0],
  ['proc_reg_write', 0x5_5000, 0xd0],
  ['__handle_sysrq', 0x6_a000, 0x220],
  ['sysrq_handle_crash', 0x6_a400, 0x30],
  ['write_sysrq_trigger', 0x6_a800, 0xb0],
  ['ehea_poll', 0x7_0000, 0x5a0],
  ['ext4_evict_inode', 0x7_4000, 0x620],
  ['do_exit', 0x7_8000, 0xa40],
] as const satisfies readonly FunctionRow[]

const byProfile = {
  v5: [
    ['pseries_dedicated_idle_sleep', 0x1_2000, 0x2d0],
    ['cpu_idle', 0x2_0000, 0x1f0],
    ['ppc_panic_event', 0x1_6000, 0x50],
    ['stop_this_cpu', 0x1_9000, 0x60],
  ],
  modern: [
    ['check_and_cede_processor', 0x1_2000, 0x60],
    ['do_idle', 0x2_0000, 0x360],
    ['ppc_panic_fadump_handler', 0x1_6000, 0xb0],
  ],
} as const satisfies Record<KernelProfileName, readonly FunctionRow[]>

export type FunctionName =
  | (typeof shared)[number][0]
  | (typeof byProfile)[KernelProfileName][number][0]

/** A place in text: a function, and how far into it. */
export type TextPlace = readonly [name: FunctionName, offset: number]

/** The kernel virtual address of a place in text. */
export function textAddress([name, offset]: TextPlace): bigint {
  return linearMapBase + BigInt(rowOf(name)[1] + offset)
}

/** `.panic+0x7c/0x310`: how the kernel prints an address; names have a dot under the first ELF ABI. */
export function symbolText([name, offset]: TextPlace, profile: KernelProfileName): string {
  const dot = profile === 'v5' ? '.' : ''
  return `${dot}${name}+0x${offset.toString(16)}/0x${rowOf(name)[2].toString(16)}`
}

const texts = new Map<KernelProfileName, Uint8Array>()

/**
 * The bytes of text, not to be changed. The same for every partition of a profile, so that a frame stores them once and
 * a host makes them once.
 */
export function kernelText(profile: KernelProfileName): Uint8Array {
  const bytes = texts.get(profile) ?? makeText(profile)
  texts.set(profile, bytes)
  return bytes
}

function makeText(profile: KernelProfileName): Uint8Array {
  const bytes = new Uint8Array(kernelTextBytes)
  const view = viewOf(bytes)
  const isLittle = profile === 'modern'
  let state = isLittle ? 0x6d6f_6465 : 0x7635_7635
  for (let offset = 0; offset < kernelTextBytes; offset += 4) {
    state = Math.imul(state, 1_664_525) + 1_013_904_223
    view.setUint32(offset, opcodeLoadImmediate | (state >>> 11), isLittle)
  }
  const absent: readonly string[] = byProfile[isLittle ? 'v5' : 'modern'].map(([name]) => name)
  for (const [name, instructions] of code.filter(([name]) => !absent.includes(name))) {
    const start = rowOf(name)[1]
    instructions.forEach((word, index) => view.setUint32(start + 4 * index, word, isLittle))
  }
  return bytes
}

/** `addi rX,0,value`: what text is filled with, harmless and never zero. */
const opcodeLoadImmediate = 0x3800_0000
const nop = 0x6000_0000
const trap = 0x7fe0_0008
const returnFromFunction = 0x4e80_0020

/** Real instructions: the hypervisor call that an idle CPU sits in, and the faulting ones. */
const code: readonly (readonly [FunctionName, readonly number[]])[] = [
  [
    'plpar_hcall_norets',
    // nop ×3; mfcr r0; stw r0,8(r1); sc 1; lwz r0,8(r1); mtcr r0; blr
    [
      nop,
      nop,
      nop,
      0x7c00_0026,
      0x9001_0008,
      0x4400_0022,
      0x8001_0008,
      0x7c0f_f120,
      returnFromFunction,
    ],
  ],
  // li r9,1; li r10,0; nop; stb r9,0(r10); blr
  ['sysrq_handle_crash', [0x3920_0001, 0x3940_0000, nop, 0x992a_0000, returnFromFunction]],
  // nop ×4; lwz r9,16(r31)
  ['ehea_poll', [nop, nop, nop, nop, 0x813f_0010, returnFromFunction]],
  ['ext4_evict_inode', [nop, nop, trap, returnFromFunction]],
  // nop ×8; b .
  ['stop_this_cpu', [nop, nop, nop, nop, nop, nop, nop, nop, 0x4800_0000]],
]

function rowOf(name: FunctionName): FunctionRow {
  const rows: readonly FunctionRow[] = [...shared, ...byProfile.v5, ...byProfile.modern]
  const row = rows.find(([candidate]) => candidate === name)
  invariant(row !== undefined, `kernel text has no function ${name}`)
  return row
}
