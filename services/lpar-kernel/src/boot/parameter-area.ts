/**
 * The parameter area of 6.10: 2048 bytes of the first kernel that firmware preserves in place, and whose text the
 * capture kernel appends to its command line (`fadump_setup_param_area`, `fadump_append_bootargs`).
 */
import {
  appendBootArguments,
  commandLineBytesMax,
  parameterAreaOf,
  sectionsOfType,
  sectionType,
  type DumpMemoryStructure,
  type ReservationPlan,
} from '@fadump-lab/shared/fadump'
import { fromAscii, isZero, toAscii, type RealAddress } from '@fadump-lab/shared/units'
import type { PartitionMemory } from '../memory/partition-memory.ts'
import type { BootContext } from './boot-context.ts'

/** The text in the area, up to its NUL. */
export async function readParameterArea(
  memory: PartitionMemory,
  area: RealAddress,
): Promise<string> {
  const bytes = await memory.read(area, commandLineBytesMax)
  const end = bytes.indexOf(0)
  return toAscii(end < 0 ? bytes : bytes.subarray(0, end))
}

/** `strscpy_pad`: the text up to its first NUL, then zeros to the end of the area. */
export async function writeParameterArea(
  memory: PartitionMemory,
  area: RealAddress,
  text: string,
): Promise<void> {
  const [upToNul = ''] = text.split('\0', 1)
  const bytes = new Uint8Array(commandLineBytesMax)
  bytes.set(fromAscii(upToNul.slice(0, commandLineBytesMax - 1)))
  await memory.write(area, bytes)
}

/** Zeroed at setup; an area that is empty already is left as it is, so that its page need not be populated. */
export async function clearParameterArea(
  memory: PartitionMemory,
  { parameterArea }: ReservationPlan,
): Promise<void> {
  if (parameterArea === undefined) return
  const bytes = await memory.read(parameterArea, commandLineBytesMax)
  if (!isZero(bytes)) await memory.write(parameterArea, new Uint8Array(commandLineBytesMax))
}

/**
 * The plan for memory that is an image: its pages are not ours to clear, so the area is there only when the image has
 * nothing at its place, as the kernel that made it would have left it.
 */
export async function withFreeParameterArea(
  memory: PartitionMemory,
  plan: ReservationPlan,
): Promise<ReservationPlan> {
  const { parameterArea, ...rest } = plan
  if (parameterArea === undefined) return plan
  if (isZero(await memory.read(parameterArea, commandLineBytesMax))) return plan
  return rest
}

/** A capture boot with the crashed kernel's parameters on its command line; unchanged when they were not preserved. */
export async function withAppendedArguments(
  context: BootContext,
  dump: DumpMemoryStructure,
): Promise<BootContext> {
  const { facts, memory } = context
  const area = parameterAreaOf(dump)
  const [section] = sectionsOfType(dump, sectionType.parameterArea)
  const isPreserved = section?.errorFlags === 0 && section.bytesDumped === section.sourceLength
  if (area === undefined || !isPreserved || !context.profile.parameterArea) return context
  const appended = appendBootArguments(facts.bootArguments, await readParameterArea(memory, area))
  const log = [...facts.firmwareDump.log, ...appended.log]
  return {
    ...context,
    facts: {
      ...facts,
      bootArguments: appended.commandLine,
      firmwareDump: { ...facts.firmwareDump, log },
    },
  }
}
