/**
 * Faults of firmware: every way in which this firmware can be made to answer or dump otherwise than by the rules. They
 * are armed for one partition, counted as they strike, and off unless armed. This table is all there is of them.
 */
import { z } from 'zod'

/** What the number of a fault means; `none`: it takes none. */
export type FaultValue = 'rtas-status' | 'flags' | 'bytes' | 'count' | 'none'

export interface FirmwareFaultRow {
  /** Where firmware acts otherwise. */
  readonly where: string
  readonly does: string
  readonly value: FaultValue
  /** The value when none is given; a `bytes` fault without one dumps 16 bytes less than asked for. */
  readonly default?: number
}

const section = (what: string) =>
  ({
    error: {
      where: 'preserve',
      does: `The ${what} is not dumped; its error flags are the value`,
      value: 'flags',
      default: 0x1000,
    },
    short: { where: 'preserve', does: `bytes_dumped of the ${what} is the value`, value: 'bytes' },
  }) as const satisfies Record<string, FirmwareFaultRow>

const cpuState = section('CPU state section')
const hpte = section('HPTE section')
const realMode = section('first real mode region')
const parameters = section('parameter area')

export const firmwareFaults = {
  'register-status': {
    where: 'ibm,configure-kernel-dump, register',
    does: 'The call answers the value and does nothing',
    value: 'rtas-status',
    default: -1,
  },
  'unregister-status': {
    where: 'ibm,configure-kernel-dump, unregister',
    does: 'The call answers the value and does nothing',
    value: 'rtas-status',
    default: -1,
  },
  'invalidate-status': {
    where: 'ibm,configure-kernel-dump, invalidate',
    does: 'The call answers the value and does nothing',
    value: 'rtas-status',
    default: -1,
  },
  'os-term-status': {
    where: 'ibm,os-term',
    does: 'The call returns the value; no dump is taken, whatever is registered',
    value: 'rtas-status',
    default: -1,
  },
  'nmi-register-status': {
    where: 'ibm,nmi-register',
    does: 'The call answers the value and does nothing',
    value: 'rtas-status',
    default: -1,
  },
  'nmi-interlock-status': {
    where: 'ibm,nmi-interlock',
    does: 'The call answers the value and does nothing',
    value: 'rtas-status',
    default: -1,
  },
  'preserve-hardware-error': {
    where: 'ibm,os-term, registered',
    does: 'The memory cannot be preserved: the call answers −1 without a dump, and QEMU then ends the partition',
    value: 'none',
  },
  'no-extended-os-term': {
    where: 'device tree',
    does: '/rtas has no ibm,extended-os-term as long as the fault is armed',
    value: 'none',
  },
  'cpu-state-error': cpuState.error,
  'cpu-state-short': cpuState.short,
  'hpte-error': hpte.error,
  'hpte-short': hpte.short,
  'real-mode-error': realMode.error,
  'real-mode-short': realMode.short,
  'parameters-error': parameters.error,
  'parameters-short': parameters.short,
  'unknown-section': {
    where: 'preserve',
    does: 'ibm,kernel-dump ends with a section of the reserved type that is the value, error 0x8000',
    value: 'flags',
    default: 0x0077,
  },
  'header-status-set': {
    where: 'preserve',
    does: 'These bits are set in dump_status_flag',
    value: 'flags',
    default: 0x2000,
  },
  'header-status-lost': {
    where: 'preserve',
    does: 'These bits are clear in dump_status_flag',
    value: 'flags',
    default: 0x2000,
  },
  'regsave-magic': {
    where: 'register save area',
    does: 'The magic is 0',
    value: 'none',
  },
  'regsave-fewer-cpus': {
    where: 'register save area',
    does: 'The last CPUs that NumCpus counts, as many as the value, are not there',
    value: 'count',
    default: 1,
  },
  'regsave-no-cpustrt': {
    where: 'register save area',
    does: 'The first CPU has no CPUSTRT',
    value: 'none',
  },
  'regsave-no-cpuend': {
    where: 'register save area',
    does: 'The last CPU has no CPUEND',
    value: 'none',
  },
  'dma-in-flight': {
    where: 'capture boot, once the kernel is up',
    does: 'The virtual adapter goes on with the receive buffers of the crashed kernel, as far as the translation control entries still let it',
    value: 'none',
  },
} as const satisfies Readonly<Record<string, FirmwareFaultRow>>

export type FirmwareFaultName = keyof typeof firmwareFaults
export const firmwareFaultNames = Object.keys(firmwareFaults) as readonly FirmwareFaultName[]

/** The most times a fault can be asked to strike. */
const timesMax = 1_000_000

export const newFirmwareFault = z.strictObject({
  name: z.enum(firmwareFaultNames),
  /** RTAS status, flags, bytes or CPUs: see the table. */
  value: z.int().optional(),
  /** How often it strikes before it is spent. */
  times: z.int().min(1).max(timesMax).default(1),
})
export type NewFirmwareFault = z.output<typeof newFirmwareFault>

export const firmwareFault = z.strictObject({
  ...newFirmwareFault.shape,
  /** How often it has struck. */
  hits: z.int().min(0),
})
export type FirmwareFault = z.output<typeof firmwareFault>
