/** `ibm,configure-kernel-dump`: register, unregister, invalidate (spec §3.2, §3.3). The rules are in shared/fadump. */
import {
  configureKernelDump,
  configureKernelDumpCommands,
  encodeDumpMemoryStructure,
  registrationMachine,
  type ConfigureKernelDumpResult,
} from '@fadump-lab/shared/fadump'
import { rtasToken } from '@fadump-lab/shared/rtas'
import { invariant } from '@fadump-lab/shared/units'
import { personalityOf } from '../fadump/firmware-dump.ts'
import { statusStrike } from '../faults/status-strike.ts'
import { dumpGivenUp, withoutDump } from '../partition/dump-given-up.ts'
import type { FirmwareRecord } from '../partition/firmware-record.ts'
import { registrationTransition } from '../partition/lifecycle.ts'
import type { Step } from '../partition/partitions.ts'
import { memoryReader } from './partition-memory.ts'
import type { RtasRequest, RtasReturn } from './rtas-request.ts'

export async function configureKernelDumpService(request: RtasRequest): Promise<Step<RtasReturn>> {
  const { record } = request.held
  const struck = strikeOf(request)
  if (struck !== undefined) return struck
  const answer = await configureKernelDump(
    { token: rtasToken('ibm,configure-kernel-dump'), args: request.args, returnCount: 1 },
    {
      registration: record.registration,
      personality: personalityOf(record),
      rmaSize: record.rmaBytes,
    },
    memoryReader(request),
  )
  if (answer.refusal !== undefined) {
    request.deps.logger.info(
      { partition: record.id, status: answer.status, ...answer.refusal },
      'firmware refused to configure a kernel dump',
    )
  }
  return { ...stepOf(record, answer), result: [answer.status] }
}

/** The answer of an armed fault, if one strikes: nothing happens but that. */
function strikeOf({ held, args }: RtasRequest): Step<RtasReturn> | undefined {
  const command = configureKernelDumpCommands.find((row) => row.command === args[0])
  return command === undefined ? undefined : statusStrike(held.record, `${command.name}-status`)
}

function stepOf(record: FirmwareRecord, answer: ConfigureKernelDumpResult): Step<undefined> {
  const { event, structure } = answer
  if (event === undefined) return { result: undefined }
  if (event === 'invalidate') return invalidated(record)
  const to = registrationMachine.next(record.registration, event)
  invariant(to !== undefined, `registration ${record.registration} has no event ${event}`)
  const {
    dumpStructure: _structure,
    automaticDump: _automatic,
    awaitedInterlock: _interlock,
    ...rest
  } = record
  return {
    result: undefined,
    record: {
      ...rest,
      registration: to,
      ...(structure === undefined ? {} : { dumpStructure: encodeDumpMemoryStructure(structure) }),
    },
    transitions: registrationTransition(record.registration, to, event),
  }
}

/**
 * A kernel that still starts has rejected the dump; one that has presented it has released it. One that has crashed
 * meanwhile gives it up on its way down (`fadump_cleanup` of a clean restart) and stays crashed.
 */
function invalidated(record: FirmwareRecord): Step<undefined> {
  if (record.state === 'terminated') return withoutDump(record, 'invalidated')
  return dumpGivenUp(record, record.state === 'capture-starting' ? 'rejected' : 'released')
}
