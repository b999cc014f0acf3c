/** The row of `./lab explain`: light, because help prints it; the work is loaded when it runs. */
import { command, UsageError, type Command } from '../command.ts'
import { consoleOptions } from '../console-options.ts'
import { defaultTokenFile } from '../token-file.ts'

/** `out` takes the explanation line by line. */
export function explainCommand(out: (line: string) => void): Command {
  return command({
    summary:
      'Print a structure field by field: from a FILE, or with --api from a partition of ./lab up',
    options: {
      ...consoleOptions,
      cpu: {
        placeholder: 'N',
        summary: 'this CPU only (regsave, elf, fdt; default: the first two)',
        parse: cpuNumber,
      },
      json: { summary: 'print JSON' },
    },
    operands: 'fdm|regsave|crash-info|elf|fdt|rtas FILE_OR_PARTITION',
    run: async ({ api, cpu, json, 'token-file': tokenFile = defaultTokenFile }, operands) => {
      const { explainCommandLine } = await import('../explain.ts')
      return explainCommandLine({ api, tokenFile, cpu, json, operands, out })
    },
  })
}

const cpuMax = 65_535

function cpuNumber(value: string): number {
  const number = /^\d{1,5}$/.test(value) ? Number(value) : Number.NaN
  if (number <= cpuMax) return number
  throw new UsageError(`${JSON.stringify(value)} is no CPU: a CPU is a number from 0 to ${cpuMax}`)
}
