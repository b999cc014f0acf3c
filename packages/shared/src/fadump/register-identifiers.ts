/**
 * Register identifiers of the register save area, version 0 (PAPR appendix "Firmware Assisted Dump Data Format"):
 * 502 of them, in the order of the table. An identifier is its ASCII name, left-justified and NUL-padded, read as a
 * big-endian u64, so the table states names only.
 *
 * Errata of the public table: MMCRA is printed as 0x4D4D435240… ("MMCR@"), PMC6 is named "PIMC6" beside the right
 * number, X-VS51LO is printed as 0x582D565355314C4F ("X-VSU1LO"). The names win here; see `misprintedIdentifiers`.
 */

/** `checkpoint` registers exist only while a CPU has a valid transactional checkpoint. */
export type RegisterGroup = 'marker' | 'register' | 'checkpoint'

export interface RegisterIdentifier {
  readonly name: string
  readonly id: bigint
  readonly group: RegisterGroup
}

/** The identifier of a register name of up to 8 characters. */
export function registerId(name: string): bigint {
  let id = 0n
  for (let index = 0; index < 8; index += 1) {
    id = (id << 8n) | BigInt(index < name.length ? name.charCodeAt(index) : 0)
  }
  return id
}

/** The name an identifier spells; bytes that are no ASCII stand as they are (Latin-1). */
export function registerName(id: bigint): string {
  let name = ''
  for (let shift = 56n; shift >= 0n; shift -= 8n) {
    const byte = Number((id >> shift) & 0xffn)
    if (byte === 0) break
    name += String.fromCharCode(byte)
  }
  return name
}

const indices = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => String(index).padStart(2, '0'))
const singles = (names: string): string[] => names.split(' ')

/** `CPUSTRT` and `CPUEND` enclose the registers of one CPU. */
export const cpuStartId: bigint = registerId('CPUSTRT')
export const cpuEndId: bigint = registerId('CPUEND')

const names: readonly string[] = [
  ...singles('CPUSTRT CPUEND ACOP AMR CFAR CR CTR CTRL DABR DABRX DAR DEC DSCR DSISR'),
  ...indices(32).map((nn) => `FPR${nn}`),
  'FPSCR',
  ...indices(32).map((nn) => `GPR${nn}`),
  ...singles('LR MMCR0 MMCR1 MMCRA MSR NIA PID PIR PMC1 PMC2 PMC3 PMC4 PMC5 PMC6 PURR PVR'),
  ...singles('SDAR SIAR SPRG0 SPRG1 SPRG2 SPRG3 SPURR SRR0 SRR1 TB TSR UAMOR'),
  ...indices(32).flatMap((nn) => [`VR${nn}_HI`, `VR${nn}_LO`]),
  ...singles('VRSAVE VSCR'),
  ...indices(64).flatMap((nn) => [`VSR${nn}_HI`, `VSR${nn}_LO`]),
  ...singles('XER FSCR VTB IC DAWR0 DAWRX0 CIABR TAR BESCR EBBHR EBBRR IAMR PSPB RPR MMCR2 SIER'),
  ...singles('DPDES TIR TID SPMC1 SPMC2 MMCRS WORC WORT TFHAR TFIAR TEXASR'),
  ...singles('X-CR X-VSCR X-XER X-LR X-CTR X-FPSCR X-AMR X-TSR X-VRSAVE X-DSCR X-TAR'),
  ...indices(32).map((nn) => `X-GPR${nn}`),
  ...indices(64).flatMap((nn) => [`X-VS${nn}HI`, `X-VS${nn}LO`]),
  ...singles('LMRR LMSER PSSCR'),
]

export const registerIdentifiers: readonly RegisterIdentifier[] = names.map((name) => ({
  name,
  id: registerId(name),
  group: name.startsWith('CPU') ? 'marker' : name.startsWith('X-') ? 'checkpoint' : 'register',
}))

/** The names under which a CPU's registers can be given: every identifier but the markers. */
export const registerNames: ReadonlySet<string> = new Set(
  registerIdentifiers.filter(({ group }) => group !== 'marker').map(({ name }) => name),
)

/** Identifiers as the public table prints them, and the names they stand for; a reader accepts both. */
export const misprintedIdentifiers: ReadonlyMap<bigint, string> = new Map([
  [0x4d4d_4352_4000_0000n, 'MMCRA'],
  [0x582d_5653_5531_4c4fn, 'X-VS51LO'],
])
