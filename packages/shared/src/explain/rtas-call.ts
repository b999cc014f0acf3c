/** An RTAS argument buffer: cells of a call, or of its reply. */
import { configureKernelDumpCommands } from '../fadump/index.ts'
import {
  decodeRtasCall,
  describeRtasStatus,
  rtasServiceOf,
  type RtasServiceName,
} from '../rtas/index.ts'
import { hex, viewOf } from '../units/index.ts'
import type { Field, Part } from './explanation.ts'

/** Throws `RtasCallError` when the counts do not fit the bytes. */
export function* rtasParts(bytes: Uint8Array): Generator<Part> {
  const call = decodeRtasCall(bytes)
  const service = rtasServiceOf(call.token)
  const view = viewOf(bytes)
  const names = [
    'token',
    'nargs',
    'nret',
    ...call.args.map((_, index) => `args[${index}]`),
    ...Array.from({ length: call.returnCount }, (_, index) => `rets[${index}]`),
  ]
  const fields = names.map((name, index): Field => {
    const cell = view.getUint32(4 * index)
    return {
      offset: 4 * index,
      bytes: bytes.subarray(4 * index, 4 * index + 4),
      name,
      path: name,
      value: hex(cell, 8),
      meaning: cellMeaning(name, cell, service),
    }
  })
  yield { title: `rtas_args, ${service ?? 'unknown service'}`, fields }
}

function cellMeaning(name: string, cell: number, service: RtasServiceName | undefined): string {
  switch (name) {
    case 'token':
      return service ?? 'no service of this firmware'
    case 'nargs':
      return `${cell} arguments`
    case 'nret':
      return `${cell} cells of return`
    case 'rets[0]':
      return `status ${describeRtasStatus(cell | 0)}; 0 before the call as well`
    default:
      return service === undefined ? '' : (argumentMeanings[service]?.[name]?.(cell) ?? '')
  }
}

type CellMeanings = Readonly<Record<string, (cell: number) => string>>

const argumentMeanings: { readonly [Service in RtasServiceName]?: CellMeanings } = {
  'ibm,configure-kernel-dump': {
    'args[0]': (command) =>
      configureKernelDumpCommands.find((row) => row.command === command)?.meaning ??
      'no such command',
    'args[1]': () => 'real address of the dump memory structure',
    'args[2]': (length) => `${length} bytes of structure`,
  },
  'ibm,os-term': { 'args[0]': () => 'real address of the message' },
}
