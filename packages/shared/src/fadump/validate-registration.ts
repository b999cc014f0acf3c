/**
 * `ibm,configure-kernel-dump` as firmware answers it: ordered tables of checks, the first violated row gives the
 * status. The order is QEMU's (`hw/ppc/spapr_fadump.c`); rows marked `papr` are what PAPR asks for beyond it and are
 * left out by the `qemu` personality. What a section asks for is judged at dump time (see preserve-plan.ts).
 *
 * Pure but for `read`, which the caller provides.
 */
import { rtasStatus, type RtasCall } from '../rtas/index.ts'
import { hex, realAddress, type ByteLength, type RealAddress } from '../units/index.ts'
import {
  decodeDumpSections,
  dumpFormatVersion,
  dumpSectionHeaderLayout,
  dumpSectionsMax,
  dumpStructureBytesMax,
  dumpStructureLength,
  firstDumpSectionOffset,
  type DumpMemoryStructure,
  type DumpSectionHeader,
} from './dump-memory-structure.ts'
import type { FirmwarePersonality } from './firmware-personalities.ts'
import {
  configureKernelDumpCommands,
  type ConfigureKernelDumpCommand,
  type RegistrationEvent,
  type RegistrationState,
} from './registration.ts'

/** What firmware knows when the call comes in. */
export interface RegistrationContext {
  readonly registration: RegistrationState
  readonly personality: FirmwarePersonality
  /** End of the real mode area; the structure must lie below it (PAPR R1-2). */
  readonly rmaSize: ByteLength
}

/** Partition memory; `undefined` when the range cannot be read. */
export type ReadPartitionMemory = (
  address: RealAddress,
  length: number,
) => Promise<Uint8Array | undefined>

export interface Refusal {
  /** Checklist id, or a name for checks that only this firmware makes. */
  readonly check: string
  /** The rule and the value, for people. */
  readonly detail: string
}

export interface ConfigureKernelDumpResult {
  readonly status: number
  readonly command?: ConfigureKernelDumpCommand['name']
  /** The transition of `registrationMachine` to make; absent when the state stays. */
  readonly event?: RegistrationEvent
  /** On `register`: firmware's own copy; fields that the platform writes are zero. */
  readonly structure?: DumpMemoryStructure
  readonly refusal?: Refusal
}

interface CheckRow<Subject> {
  readonly check: string
  /** Set for what PAPR asks for and QEMU leaves out. */
  readonly papr?: boolean
  readonly rule: string
  readonly status: number | ((personality: FirmwarePersonality) => number)
  readonly isViolated: (subject: Subject) => boolean
  readonly found: (subject: Subject) => string
}

/** The call itself. */
const callChecks: readonly CheckRow<RtasCall>[] = [
  {
    check: 'C010',
    rule: 'the call returns exactly one cell',
    status: rtasStatus.parameterError,
    isViolated: (call) => call.returnCount !== 1,
    found: (call) => `nret ${call.returnCount}`,
  },
  {
    check: 'C010',
    rule: 'the call takes exactly three arguments',
    status: rtasStatus.parameterError,
    isViolated: (call) => call.args.length !== 3,
    found: (call) => `nargs ${call.args.length}`,
  },
  {
    check: 'C014',
    rule: 'commands are 1 register, 2 unregister, 3 invalidate',
    status: rtasStatus.parameterError,
    isViolated: (call) => commandOf(call) === undefined,
    found: (call) => `command ${call.args[0]}`,
  },
]

interface Request extends RegistrationContext {
  readonly address: number
  readonly length: number
}

/** Register, before the structure is read. */
const requestChecks: readonly CheckRow<Request>[] = [
  {
    check: 'C012',
    rule: 'only one dump can be registered',
    status: (personality) => personality.statusAlreadyRegistered,
    isViolated: ({ registration }) => registration === 'registered',
    found: () => 'a dump is registered',
  },
  {
    check: 'C013',
    rule: 'an active dump must be invalidated first',
    status: (personality) => personality.statusDumpActive,
    isViolated: ({ registration }) => registration === 'active' || registration === 'dumping',
    found: ({ registration }) => `the dump is ${registration}`,
  },
  {
    check: 'C017',
    rule: `the structure has at least ${dumpSectionHeaderLayout.size} bytes`,
    status: rtasStatus.parameterError,
    isViolated: ({ length }) => length < dumpSectionHeaderLayout.size,
    found: ({ length }) => `length ${length}`,
  },
  {
    check: 'C019',
    papr: true,
    rule: `the structure has at most ${dumpStructureBytesMax} bytes`,
    status: rtasStatus.parameterError,
    isViolated: ({ length }) => length > dumpStructureBytesMax,
    found: ({ length }) => `length ${length}`,
  },
  {
    check: 'C017',
    rule: 'the structure lies in the real mode area, not at 0',
    status: rtasStatus.parameterError,
    isViolated: ({ address, length, rmaSize }) =>
      address === 0 || BigInt(address + length) > rmaSize,
    found: ({ address, length, rmaSize }) =>
      `[${hex(address)}, ${hex(address + length)}) with an RMA of ${hex(rmaSize)} bytes`,
  },
]

interface HeaderRead extends Request {
  readonly header: DumpSectionHeader
}

/** Register, once the header is read. */
const headerChecks: readonly CheckRow<HeaderRead>[] = [
  {
    check: 'C015',
    rule: `dump_format_version is ${dumpFormatVersion}`,
    status: rtasStatus.parameterError,
    isViolated: ({ header }) => header.dumpFormatVersion !== dumpFormatVersion,
    found: ({ header }) => `dump_format_version ${header.dumpFormatVersion}`,
  },
  {
    check: 'C016',
    rule: `dump_num_sections is at most ${dumpSectionsMax}`,
    status: rtasStatus.parameterError,
    isViolated: ({ header }) => header.dumpNumSections > dumpSectionsMax,
    found: ({ header }) => `dump_num_sections ${header.dumpNumSections}`,
  },
  {
    check: 'no-sections',
    papr: true,
    rule: 'a dump has a section',
    status: rtasStatus.parameterError,
    isViolated: ({ header }) => header.dumpNumSections === 0,
    found: () => 'dump_num_sections 0',
  },
  {
    check: 'disk-dump',
    papr: true,
    rule: 'this platform has no disk dump option: the dd_* fields are 0',
    status: rtasStatus.parameterError,
    isViolated: ({ header }) => namesDisk(header),
    found: ({ header }) =>
      `dd_block_size ${header.ddBlockSize}, dd_num_blocks ${header.ddNumBlocks}`,
  },
  {
    check: 'C018',
    papr: true,
    rule: 'the length is exactly 40 + 40·n',
    status: rtasStatus.parameterError,
    isViolated: ({ header, length }) =>
      BigInt(length) !== dumpStructureLength(header.dumpNumSections),
    found: ({ header, length }) => `length ${length} with ${header.dumpNumSections} sections`,
  },
  {
    check: 'C031',
    papr: true,
    rule: `offset_first_dump_section is ${hex(firstDumpSectionOffset)}`,
    status: rtasStatus.parameterError,
    isViolated: ({ header }) => header.offsetFirstDumpSection !== firstDumpSectionOffset,
    found: ({ header }) => `offset_first_dump_section ${hex(header.offsetFirstDumpSection)}`,
  },
]

/** The answer to one call. Nothing is written; the caller makes the transition and keeps `structure`. */
export async function configureKernelDump(
  call: RtasCall,
  context: RegistrationContext,
  read: ReadPartitionMemory,
): Promise<ConfigureKernelDumpResult> {
  const refused = firstViolated(callChecks, call, context.personality)
  const command = commandOf(call)
  if (refused !== undefined || command === undefined) {
    return refused ?? { status: rtasStatus.parameterError }
  }
  const answer =
    command === 'register'
      ? await register({ ...context, address: call.args[1] ?? 0, length: call.args[2] ?? 0 }, read)
      : command === 'unregister'
        ? unregister(context)
        : invalidate(context)
  return { command, ...answer }
}

/** Command 1 on its own: whether the structure at `address` can be registered. */
export async function validateRegistration(
  request: RegistrationContext & { readonly address: number; readonly length: number },
  read: ReadPartitionMemory,
): Promise<ConfigureKernelDumpResult> {
  return register(request, read)
}

async function register(
  request: Request,
  read: ReadPartitionMemory,
): Promise<ConfigureKernelDumpResult> {
  const { address, personality } = request
  const refused = firstViolated(requestChecks, request, personality)
  if (refused !== undefined) return refused
  const headerBytes = await read(realAddress(address), dumpSectionHeaderLayout.size)
  if (headerBytes === undefined) return unreadable(rtasStatus.hardwareError, 'header', address)
  const header = dumpSectionHeaderLayout.decode(headerBytes, 'big')
  const refusedHeader = firstViolated(headerChecks, { ...request, header }, personality)
  if (refusedHeader !== undefined) return refusedHeader
  // With another offset, which only QEMU takes, the sections are where it says.
  const first = address + header.offsetFirstDumpSection
  const sectionBytes = Number(dumpStructureLength(header.dumpNumSections)) - firstDumpSectionOffset
  const bytes =
    sectionBytes === 0 ? new Uint8Array(0) : await read(realAddress(first), sectionBytes)
  if (bytes === undefined) return unreadable(rtasStatus.parameterError, 'sections', first)
  const sections = decodeDumpSections(bytes, header.dumpNumSections)
  return {
    status: rtasStatus.success,
    event: 'register',
    structure: {
      header: { ...header, dumpStatusFlag: 0 },
      sections: sections.map((section) => ({ ...section, errorFlags: 0, bytesDumped: 0n })),
    },
  }
}

function unregister({ registration, personality }: RegistrationContext): ConfigureKernelDumpResult {
  if (registration === 'active' || registration === 'dumping') {
    return {
      status: personality.statusDumpActive,
      refusal: {
        check: 'C013',
        detail: `an active dump must be invalidated first: it is ${registration}`,
      },
    }
  }
  if (registration === 'idle') return { status: rtasStatus.success }
  return { status: rtasStatus.success, event: 'unregister' }
}

function invalidate({ registration, personality }: RegistrationContext): ConfigureKernelDumpResult {
  if (registration === 'active') return { status: rtasStatus.success, event: 'invalidate' }
  const { status, keepsRegistration } = personality.invalidateWithoutDump
  const dropped = registration === 'registered' && !keepsRegistration
  if (status === rtasStatus.success) return dropped ? { status, event: 'unregister' } : { status }
  return {
    status,
    refusal: { check: 'C022', detail: `no dump is active: the state is ${registration}` },
  }
}

function firstViolated<Subject>(
  rows: readonly CheckRow<Subject>[],
  subject: Subject,
  personality: FirmwarePersonality,
): ConfigureKernelDumpResult | undefined {
  const row = rows.find(
    (candidate) =>
      (candidate.papr !== true || personality.structuralChecks) && candidate.isViolated(subject),
  )
  if (row === undefined) return undefined
  const status = typeof row.status === 'number' ? row.status : row.status(personality)
  return { status, refusal: { check: row.check, detail: `${row.rule}: ${row.found(subject)}` } }
}

function unreadable(status: number, what: string, address: number): ConfigureKernelDumpResult {
  const detail = `the ${what} at ${hex(address)} cannot be read`
  return { status, refusal: { check: 'unreadable', detail } }
}

function commandOf(call: RtasCall): ConfigureKernelDumpCommand['name'] | undefined {
  return configureKernelDumpCommands.find((row) => row.command === call.args[0])?.name
}

function namesDisk(header: DumpSectionHeader): boolean {
  return (
    header.ddBlockSize !== 0 ||
    header.ddBlockOffset !== 0n ||
    header.ddNumBlocks !== 0n ||
    header.ddOffsetDiskPath !== 0
  )
}
