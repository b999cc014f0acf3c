/**
 * The RTAS services of our firmware. A service is a property of `/rtas` whose one cell is its token. The token
 * numbers are those that a QEMU 11.1 `pseries` machine gives to the same services.
 */
import { u32 } from '../layout/index.ts'
import { invariant, viewOf } from '../units/index.ts'

export interface RtasServiceRow {
  readonly name: string
  readonly token: number
  readonly meaning: string
}

export const rtasServices = [
  { name: 'display-character', token: 0x2000, meaning: 'One character to the console' },
  { name: 'power-off', token: 0x2003, meaning: 'Power the partition off' },
  { name: 'system-reboot', token: 0x2004, meaning: 'Restart the partition' },
  { name: 'ibm,os-term', token: 0x201f, meaning: 'The operating system has terminated' },
  { name: 'ibm,nmi-register', token: 0x202b, meaning: 'Take over system reset and machine check' },
  {
    name: 'ibm,nmi-interlock',
    token: 0x202c,
    meaning: 'The handler no longer needs its save area',
  },
  {
    name: 'ibm,configure-kernel-dump',
    token: 0x202d,
    meaning: 'Register, unregister or invalidate a firmware-assisted dump',
  },
] as const satisfies readonly RtasServiceRow[]

export type RtasServiceName = (typeof rtasServices)[number]['name']

const tokens = new Map<RtasServiceName, number>(rtasServices.map((row) => [row.name, row.token]))
const services = new Map<number, RtasServiceName>(rtasServices.map((row) => [row.token, row.name]))

export function rtasToken(name: RtasServiceName): number {
  const token = tokens.get(name)
  invariant(token !== undefined, `no RTAS service is named ${name}`)
  return token
}

/** The service behind a token, or `undefined` when our firmware has none. */
export function rtasServiceOf(token: number): RtasServiceName | undefined {
  return services.get(token)
}

/** The properties of `/rtas` that announce `names`, in table order. */
export function rtasTokenProperties(
  names: readonly RtasServiceName[] = rtasServices.map((row) => row.name),
): Map<string, Uint8Array> {
  const offered = rtasServices.filter((row) => names.includes(row.name))
  return new Map(offered.map((row) => [row.name, cell(row.token)]))
}

function cell(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  u32.write({ view: viewOf(bytes), offset: 0, order: 'big' }, value)
  return bytes
}
