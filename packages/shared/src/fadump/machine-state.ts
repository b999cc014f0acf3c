/** The bits of the machine state register as kernels print them (`print_msr_bits`, arch/powerpc/kernel/process.c). */

/** In the kernel's order. */
const machineStateBits = [
  ['SF', 1n << 63n],
  ['VEC', 1n << 25n],
  ['VSX', 1n << 23n],
  ['EE', 1n << 15n],
  ['PR', 1n << 14n],
  ['FP', 1n << 13n],
  ['ME', 1n << 12n],
  ['IR', 1n << 5n],
  ['DR', 1n << 4n],
  ['RI', 1n << 1n],
  ['LE', 1n],
] as const

/** `SF,ME,IR,DR,RI,LE`; empty for 0. */
export function machineStateText(state: bigint): string {
  return machineStateBits
    .filter(([, bit]) => (state & bit) !== 0n)
    .map(([name]) => name)
    .join(',')
}
