/**
 * Contexts of the virtual CPUs, kept in the record `vcpus`. Most CPUs have most registers in common by name, so the
 * record states the names once and then one line of values per CPU: 4096 CPUs with the registers that Linux reads
 * stay well below the bound of a record.
 */
import { Problem, type Vcpu } from '@fadump-lab/shared/contracts'
import { registerIdentifiers } from '@fadump-lab/shared/fadump'
import { z } from 'zod'
import type { FirmwareRecord } from './firmware-record.ts'

const vcpusRecord = z.strictObject({
  /** Register names, in the order of the values below. */
  names: z.array(z.string()),
  /** `cpu`, online (1 or 0), hexadecimal values separated by commas; an empty one is not set. */
  vcpus: z.array(z.tuple([z.int().min(0), z.literal([0, 1]), z.string()])),
})

const knownNames = new Set(
  registerIdentifiers.filter((row) => row.group !== 'marker').map((row) => row.name),
)

/** What `record` says of every CPU of the partition; CPUs it does not name are as they are at power on. */
export function decodeVcpus(record: string | undefined, firmware: FirmwareRecord): Vcpu[] {
  const fresh = initialVcpus(firmware)
  if (record === undefined) return fresh
  const { names, vcpus } = z.decode(vcpusRecord, JSON.parse(record) as never)
  for (const [cpu, online, values] of vcpus) {
    fresh[cpu] = { cpu, online: online === 1, registers: decodeRegisters(names, values) }
  }
  return fresh
}

export function encodeVcpus(vcpus: readonly Vcpu[]): string {
  const names = [...new Set(vcpus.flatMap((vcpu) => Object.keys(vcpu.registers)))]
  const rows = vcpus.map((vcpu) => [
    vcpu.cpu,
    vcpu.online ? 1 : 0,
    names.map((name) => vcpu.registers[name]?.toString(16) ?? '').join(','),
  ])
  return JSON.stringify({ names, vcpus: rows })
}

/** `present` with the contexts of `updates` in place of the old ones. Errors: `invalid-request`. */
export function mergeVcpus(present: readonly Vcpu[], updates: readonly Vcpu[]): Vcpu[] {
  const merged = [...present]
  for (const update of updates) {
    if (update.cpu >= present.length) {
      throw new Problem(
        'invalid-request',
        `cpu ${update.cpu} does not exist; the partition has ${present.length} CPUs`,
      )
    }
    const unknown = Object.keys(update.registers).find((name) => !knownNames.has(name))
    if (unknown !== undefined) {
      throw new Problem(
        'invalid-request',
        `cpu ${update.cpu} names the register ${JSON.stringify(unknown)}, which is no register save area identifier such as GPR00, NIA or MSR`,
      )
    }
    merged[update.cpu] = update
  }
  return merged
}

function initialVcpus({ processors, offlineCpus }: FirmwareRecord): Vcpu[] {
  const offline = new Set(offlineCpus)
  return Array.from({ length: processors }, (_, cpu) => ({
    cpu,
    online: !offline.has(cpu),
    registers: {},
  }))
}

function decodeRegisters(names: readonly string[], values: string): Record<string, bigint> {
  const registers: Record<string, bigint> = {}
  values.split(',').forEach((value, index) => {
    const name = names[index]
    if (value !== '' && name !== undefined) registers[name] = BigInt(`0x${value}`)
  })
  return registers
}
