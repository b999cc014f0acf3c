/**
 * `struct pt_regs` of 64-bit powerpc as a table of u64 (`ptrace.h`): 44 of them until 3.x (352 bytes), 48 today
 * (384 bytes). The index is also the place in `pr_reg` of NT_PRSTATUS.
 */
import type { ByteOrder } from '../layout/index.ts'
import { viewOf } from '../units/index.ts'
import type { KernelProfile } from './kernel-profiles.ts'
import { registerId } from './register-identifiers.ts'
import type { RegisterEntry } from './register-save-area.ts'

const generalPurpose = Array.from({ length: 32 }, (_, index) => `gpr${index}`)

/** Field names in order; where two kernels name a place differently, the newer name stands here. */
export const ptRegsNames: readonly string[] = [
  ...generalPurpose,
  'nip',
  'msr',
  'orig_gpr3',
  'ctr',
  'link',
  'xer',
  'ccr',
  'softe',
  'trap',
  'dar',
  'dsisr',
  'result',
  'ppr',
  'exit_result',
  'amr',
  'iamr',
]

/** Places of the fields that are not general purpose registers; `gpr` n is at n. */
export const ptRegsIndex = {
  nip: 32,
  msr: 33,
  origGpr3: 34,
  ctr: 35,
  link: 36,
  xer: 37,
  ccr: 38,
  softe: 39,
  trap: 40,
  dar: 41,
  dsisr: 42,
  result: 43,
  ppr: 44,
  exitResult: 45,
  amr: 46,
  iamr: 47,
} as const

/** One `pt_regs`: `profile.ptRegsCount` values in table order. */
export type PtRegs = readonly bigint[]

/** The registers beside `GPRnn` that Linux takes from a register save area; other identifiers are skipped (C056). */
export const linuxRegisters: readonly (readonly [name: string, ptRegsIndex: number])[] = [
  ['NIA', ptRegsIndex.nip],
  ['MSR', ptRegsIndex.msr],
  ['CTR', ptRegsIndex.ctr],
  ['LR', ptRegsIndex.link],
  ['XER', ptRegsIndex.xer],
  ['CR', ptRegsIndex.ccr],
  ['DAR', ptRegsIndex.dar],
  ['DSISR', ptRegsIndex.dsisr],
]

/** Places that no register save area tells (spec §5.3, §9): only a kernel that saved a CPU by itself knows them. */
export const kernelOnlyRegisters: readonly number[] = [
  ptRegsIndex.origGpr3,
  ptRegsIndex.softe,
  ptRegsIndex.trap,
  ptRegsIndex.result,
  ptRegsIndex.ppr,
  ptRegsIndex.exitResult,
  ptRegsIndex.amr,
  ptRegsIndex.iamr,
]

const indexOfId: ReadonlyMap<bigint, number> = new Map(
  linuxRegisters.map(([name, index]) => [registerId(name), index]),
)
const gprMask = 0xffff_ff00_0000_0000n
const gprPrefix = registerId('GPR')
/** What the two characters behind `GPR` may be: `sscanf("%d")` of 3.4 stops at rubbish, `kstrtoint` refuses it. */
const gprDigits = { sscanf: /^\s*\+?(\d+)/, kstrtoint: /^\+?(\d+)$/ } as const

/** The index n of a `GPRnn` identifier, `undefined` when it is none or n > 31 (C057). */
export function gprIndexOf(
  id: bigint,
  syntax: KernelProfile['gprIndexSyntax'] = 'kstrtoint',
): number | undefined {
  if ((id & gprMask) !== gprPrefix) return undefined
  const characters = [32n, 24n].map((shift) => String.fromCharCode(Number((id >> shift) & 0xffn)))
  const text = characters.join('').split('\0')[0] ?? ''
  const digits = gprDigits[syntax].exec(text)?.[1]
  const index = digits === undefined ? Number.NaN : Number(digits)
  return index <= 31 ? index : undefined
}

/** The `pt_regs` that Linux makes of one CPU's save area entries; what they do not name is 0. */
export function ptRegsOfEntries(
  entries: readonly RegisterEntry[],
  profile: Pick<KernelProfile, 'ptRegsCount' | 'gprIndexSyntax'>,
): PtRegs {
  const values = emptyPtRegs(profile)
  for (const { id, value } of entries) {
    const index = gprIndexOf(id, profile.gprIndexSyntax) ?? indexOfId.get(id)
    if (index !== undefined) values[index] = value
  }
  return values
}

export function emptyPtRegs(profile: Pick<KernelProfile, 'ptRegsCount'>): bigint[] {
  return Array.from({ length: profile.ptRegsCount }, () => 0n)
}

/** The save area names of a `pt_regs`: how a kernel tells firmware what its CPUs hold. */
export function namedRegistersOfPtRegs(values: PtRegs): Record<string, bigint> {
  const named: Record<string, bigint> = {}
  for (let index = 0; index < 32; index += 1) {
    named[`GPR${String(index).padStart(2, '0')}`] = values[index] ?? 0n
  }
  for (const [name, index] of linuxRegisters) named[name] = values[index] ?? 0n
  return named
}

/** The values as the kernel has them in memory. */
export function encodePtRegs(values: PtRegs, order: ByteOrder): Uint8Array {
  const bytes = new Uint8Array(8 * values.length)
  const view = viewOf(bytes)
  values.forEach((value, index) => view.setBigUint64(8 * index, value, order === 'little'))
  return bytes
}

export function decodePtRegs(bytes: Uint8Array, order: ByteOrder): PtRegs {
  const view = viewOf(bytes)
  return Array.from({ length: Math.floor(bytes.byteLength / 8) }, (_, index) =>
    view.getBigUint64(8 * index, order === 'little'),
  )
}
