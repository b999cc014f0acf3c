/** The rows of the commands about the capture kernel's memory. Only a partition's rehearsal needs a running service. */
import { command, text, type Command } from '../command.ts'
import { consoleOptions } from '../console-options.ts'
import { defaultTokenFile } from '../token-file.ts'
import { systemOptions } from './options.ts'

type Out = (line: string) => void

const jsonFlag = { summary: 'print JSON' }

export function estimateCommand(out: Out): Command {
  return command({
    summary:
      'How much to reserve for the capture kernel of a described system, next to what others reserve',
    options: { ...systemOptions, json: jsonFlag },
    run: async (values) => {
      const { estimateCommandLine } = await import('../estimate.ts')
      return estimateCommandLine(values, out)
    },
  })
}

export function rehearseCommand(out: Out): Command {
  return command({
    summary:
      'Would a dump fit into boot memory, of a described system or with --api of a PARTITION? Ends with 1 when not',
    options: {
      ...consoleOptions,
      append: {
        placeholder: 'ARGUMENTS',
        summary:
          'boot arguments that the capture kernel of the partition would find behind its own',
        parse: text,
      },
      ...systemOptions,
      json: jsonFlag,
    },
    operands: 'PARTITION',
    run: async (values, operands) => {
      const { api, append, json, 'token-file': tokenFile = defaultTokenFile } = values
      const { rehearseCommandLine } = await import('../rehearse.ts')
      return rehearseCommandLine({ operands, api, tokenFile, append, values, json, out })
    },
  })
}

const axis = (summary: string) => ({ placeholder: 'OPTION=VALUES', summary, parse: text })

export function sweepCommand(out: Out): Command {
  return command({
    summary: 'The verdict for every combination of two or three settings: a table, JSON, a picture',
    options: {
      example: { placeholder: 'NAME', summary: '2011-band or today', parse: text },
      x: axis('columns, e.g. queues=1..16 or nic=ehea,ibmveth'),
      y: axis('rows, e.g. boot=224M..400M:8M or memory=4G..64T:*2'),
      z: axis('one table a value'),
      svg: { placeholder: 'FILE', summary: 'write a heat map', parse: text },
      ...systemOptions,
      json: jsonFlag,
    },
    run: async (values) => {
      const { sweepCommandLine } = await import('../sweep.ts')
      return sweepCommandLine(values, out)
    },
  })
}
