/** Registers of a CPU in `struct pt_regs`, with what they hold. */
import { machineStateText, ptRegsIndex } from '../fadump/index.ts'
import type { ByteOrder } from '../layout/index.ts'
import { hex, viewOf } from '../units/index.ts'
import type { Field } from './explanation.ts'

interface RegisterArea {
  readonly bytes: Uint8Array
  readonly order: ByteOrder
  /** Where the area begins in the structure. */
  readonly offset: number
  readonly path: string
  /** Names by place. */
  readonly names: readonly string[]
}

/** One field a register; whole u64 only. */
export function registerFields(area: RegisterArea): Field[] {
  const view = viewOf(area.bytes)
  return Array.from({ length: Math.floor(area.bytes.byteLength / 8) }, (_, index) => {
    const value = view.getBigUint64(8 * index, area.order === 'little')
    const name = area.names[index] ?? `[${index}]`
    return {
      offset: area.offset + 8 * index,
      bytes: area.bytes.subarray(8 * index, 8 * index + 8),
      name,
      path: `${area.path}${name}`,
      value: hex(value, 16),
      meaning: meaningAt[index]?.(value) ?? '',
    }
  })
}

/** The interrupt that a trap number names (arch/powerpc/include/asm/interrupt.h). */
const interrupts: Readonly<Record<string, string>> = {
  '0': 'none: not an interrupt, or firmware does not tell',
  '100': 'system reset',
  '200': 'machine check',
  '300': 'data storage',
  '380': 'data segment',
  '400': 'instruction storage',
  '480': 'instruction segment',
  '500': 'external',
  '600': 'alignment',
  '700': 'program check',
  '800': 'floating-point unavailable',
  '900': 'decrementer',
  c00: 'system call',
  d00: 'trace',
  e40: 'emulation assistance',
  f00: 'performance monitor',
  f20: 'vector unavailable',
  f40: 'VSX unavailable',
  '3000': 'system call vectored',
}

/** Bits of a trap that are no part of the number: `TRAP_FLAGS_MASK`. */
const trapFlags = 0xfn

/** By place in `pt_regs`. */
const meaningAt: Readonly<Record<number, (value: bigint) => string>> = {
  1: () => 'stack pointer',
  2: () => 'table of contents',
  13: () => 'per-CPU area of the kernel',
  [ptRegsIndex.nip]: () => 'next instruction',
  [ptRegsIndex.msr]: (state) => machineStateText(state),
  [ptRegsIndex.origGpr3]: () => 'gpr3 at the system call',
  [ptRegsIndex.ctr]: () => 'count register',
  [ptRegsIndex.link]: () => 'return address',
  [ptRegsIndex.xer]: () => 'fixed-point exceptions',
  [ptRegsIndex.ccr]: () => 'condition register',
  [ptRegsIndex.softe]: () => 'soft interrupt mask',
  [ptRegsIndex.trap]: (trap) => interrupts[(trap & ~trapFlags).toString(16)] ?? 'interrupt vector',
  [ptRegsIndex.dar]: () => 'address of a data fault',
  [ptRegsIndex.dsisr]: () => 'cause of a data fault',
}
