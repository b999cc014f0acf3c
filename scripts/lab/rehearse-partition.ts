/** The rehearsal of a running partition: its kernel judges, apart from what the command line changes. */
import {
  describeSystem,
  settingRow,
  type CaptureSystem,
  type SettingName,
} from '@fadump-lab/shared/capture-memory'
import {
  captureEnvironment,
  type CaptureEnvironment,
  type RehearsalReply,
  type RehearsalRequest,
} from '@fadump-lab/shared/contracts'
import { invariant } from '@fadump-lab/shared/units'
import { descriptionOf } from './capture-memory/options.ts'
import { UsageError } from './command.ts'
import { askConsole, type Console, type ConsoleAddress } from './console.ts'

export interface AskedChange {
  /** Values of `systemOptions`. */
  readonly values: Readonly<Record<string, unknown>>
  /** Boot arguments to be appended for the capture boot. */
  readonly append: string | undefined
}

export interface PartitionRehearsal {
  readonly reply: RehearsalReply
  readonly system: CaptureSystem
}

/** Errors: those of `askConsole`; `UsageError` for settings that a partition has of its own. */
export async function rehearsePartition(
  address: ConsoleAddress,
  partition: string,
  change: AskedChange,
): Promise<PartitionRehearsal> {
  const { bootMemoryMiB, environment } = changedSettings(change.values)
  const reply = await askConsole(address, async (routes) => {
    const body: RehearsalRequest = {
      ...(bootMemoryMiB === undefined ? {} : { bootMemoryMiB }),
      ...(change.append === undefined ? {} : { appendedArguments: change.append }),
      ...(await changedEnvironment(routes, partition, environment)),
    }
    return routes.rehearse({ params: { partition }, body })
  })
  const described = describeSystem(reply.system)
  invariant(described.isAccepted, 'a rehearsal tells the system that it has judged')
  return { reply, system: described.system }
}

function changedSettings(values: AskedChange['values']): {
  readonly bootMemoryMiB?: number
  readonly environment: CaptureEnvironment
} {
  const { bootMemoryMiB, ...rest } = descriptionOf(values)
  const own = Object.keys(rest).filter((name) => !Object.hasOwn(captureEnvironment.shape, name))
  if (own.length > 0) {
    const options = own.map((name) => `--${settingRow(name as SettingName).option}`).join(', ')
    throw new UsageError(
      `${options}: a partition has its own; --boot, --append ARGUMENTS and these can be changed: ${changeable()}`,
    )
  }
  const environment = captureEnvironment.parse(rest)
  return { environment, ...(typeof bootMemoryMiB === 'number' ? { bootMemoryMiB } : {}) }
}

/** The options of a capture environment. */
function changeable(): string {
  const { failureAction: _action, ...shape } = captureEnvironment.shape
  return Object.keys(shape)
    .map((name) => `--${settingRow(name as SettingName).option}`)
    .join(', ')
}

/** The partition's own environment with what is asked for in place of it. */
async function changedEnvironment(
  routes: Console,
  partition: string,
  environment: CaptureEnvironment,
): Promise<Pick<RehearsalRequest, 'capture' | 'captureTarget'>> {
  if (Object.keys(environment).length === 0) return {}
  const { capture: present = {} } = await routes.getPartition({ params: { partition } })
  const { target, ...others } = environment
  const capture = { ...present, ...others }
  if (target === undefined) return { capture }
  if (target === 'local') return { capture, captureTarget: 'local' }
  return { capture: { ...capture, target }, captureTarget: 'network' }
}
