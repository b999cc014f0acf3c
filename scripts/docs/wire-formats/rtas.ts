/** RTAS calls: cells, commands, status, services. */
import { explainStructure } from '@fadump-lab/shared/explain'
import { configureKernelDumpCommands } from '@fadump-lab/shared/fadump'
import {
  encodeRtasReply,
  rtasServices,
  rtasStatus,
  rtasStatuses,
  rtasToken,
} from '@fadump-lab/shared/rtas'
import { table } from '../markdown.ts'
import { block, code } from './pieces.ts'

/** Registration of the structure above, when one is registered already. */
const call = {
  token: rtasToken('ibm,configure-kernel-dump'),
  args: [1, 0x02a3_f000, 200],
  returnCount: 1,
}

export function rtasSection(): string {
  const reply = encodeRtasReply(call, [rtasStatus.alreadyRegistered])
  return [
    '## RTAS argument buffer\n',
    'Big-endian 32-bit cells: token, number of arguments, number of returns, arguments, returns; 16 arguments and returns',
    'at most (PAPR 7.2.8). The first return is the status.\n',
    block(explainStructure('rtas', reply)),
    '### Commands of `ibm,configure-kernel-dump`\n',
    `${table(
      ['command', 'name', 'meaning'],
      configureKernelDumpCommands.map(({ command, name, meaning }) => [
        `${command}`,
        name,
        meaning,
      ]),
    )}\n`,
    '### Status\n',
    `${table(
      ['status', 'meaning'],
      rtasStatuses.map(({ code: status, meaning }) => [`${status}`, meaning]),
    )}\n`,
    '### Services of this firmware\n',
    `${table(
      ['token', 'service', 'meaning'],
      rtasServices.map(({ token, name, meaning }) => [code(token, 4), `\`${name}\``, meaning]),
    )}\n`,
  ].join('\n')
}
