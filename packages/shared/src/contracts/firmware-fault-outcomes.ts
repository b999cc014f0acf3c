/** What comes out when a fault of firmware strikes: the half of their rows that kernels and collectors decide. */
import type { Invariant } from './fault-row.ts'
import type { FirmwareFaultName } from './firmware-faults.ts'

interface FirmwareFaultOutcome {
  readonly holds: readonly Invariant[]
  readonly outcome: string
  readonly catalogue: readonly number[]
}

const row = (outcome: string, ...catalogue: readonly number[]): FirmwareFaultOutcome => ({
  holds: ['I1', 'I3'],
  outcome,
  catalogue,
})
const rejected = 'the capture kernel gives the dump up and says why; the partition boots again'
const noDump = 'no dump is taken, and the events say so'
const captured = 'the dump is captured, complete and verified'

export const firmwareFaultOutcomes: Readonly<Record<FirmwareFaultName, FirmwareFaultOutcome>> = {
  'register-status': row('the kernel is not registered, or asks again when firmware is busy', 3),
  'unregister-status': row('the registration stays', 4),
  'invalidate-status': row('the dump stays active and is presented again', 4),
  'os-term-status': row(`${noDump}; a busy firmware is asked again`, 7),
  'nmi-register-status': row('a system reset is dumped by firmware, not by the kernel'),
  'nmi-interlock-status': row('firmware acts alone when its time is up', 19),
  'preserve-hardware-error': row(noDump, 18),
  'no-extended-os-term': row(noDump),
  'cpu-state-error': row(rejected, 5),
  'cpu-state-short': row(`v5: ${captured}, unless nothing was dumped; modern: ${rejected}`),
  'hpte-error': row(`v5: ${captured}; modern: ${rejected}`, 5),
  'hpte-short': row(`v5: ${captured}; modern: ${rejected}`),
  'real-mode-error': row(rejected, 5),
  'real-mode-short': row(rejected),
  'parameters-error': row(captured, 5),
  'parameters-short': row(captured),
  'unknown-section': row(captured),
  'header-status-set': row(captured),
  'header-status-lost': row(`${captured}; v5 rejects exactly 0x2000`),
  'regsave-magic': row(rejected),
  'regsave-fewer-cpus': row(rejected, 14),
  'regsave-no-cpustrt': row(rejected),
  'regsave-no-cpuend': row(rejected),
  'dma-in-flight': row('stopped by the translation control entries, or the dump shows the frames'),
}
