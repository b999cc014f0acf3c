/** What may happen to a partition, as data: everything of a sequence follows from it. */
import fc from 'fast-check'

export type Profile = 'v5' | 'modern'
export type Firmware = 'papr' | 'qemu'

/** The partition that a sequence happens to. */
export interface Setup {
  readonly profile: Profile
  readonly firmware: Firmware
  readonly bootArguments: 'fadump=on' | 'fadump=off' | 'fadump=on panic=0'
  readonly dumpOption: boolean
  readonly dumpService: boolean
  readonly processors: 1 | 2
}

export type FaultName =
  | 'register-status'
  | 'unregister-status'
  | 'invalidate-status'
  | 'os-term-status'
  | 'no-extended-os-term'
  | 'cpu-state-error'
  | 'cpu-state-short'
  | 'hpte-error'
  | 'real-mode-error'
  | 'real-mode-short'
  | 'unknown-section'
  | 'header-status-set'
  | 'regsave-magic'

export type SysfsFile = 'enabled' | 'registered' | 'release_mem'

/** Lengths of a raw registration: that of the structure, one section less, less than a header, more than 512 bytes. */
export type RawLength = 'exact' | 'short' | 'tiny' | 'huge'

export type Command =
  | { readonly do: 'write'; readonly file: SysfsFile; readonly text: string }
  | { readonly do: 'read'; readonly file: SysfsFile }
  | { readonly do: 'append'; readonly text: string }
  /** `ibm,configure-kernel-dump` behind the kernel's back, for its own dump memory structure. */
  | { readonly do: 'rtas'; readonly command: number; readonly length: RawLength }
  | { readonly do: 'rtas-cells'; readonly argumentCount: 2 | 4 }
  | { readonly do: 'crash'; readonly cause: 'sysrq' | 'panic' | 'bug' | 'hard-lockup' }
  | { readonly do: 'shutdown'; readonly action: 'reboot' | 'power-off' }
  | { readonly do: 'activate' | 'restart' | 'powerOff' | 'systemReset' | 'kill' | 'migrate' }
  | { readonly do: 'fault'; readonly name: FaultName; readonly value?: number }
  | { readonly do: 'disarm' }
  /** Other bytes at the planted places: below and above the end of boot memory. */
  | { readonly do: 'plant'; readonly seed: number }

/** What one side does about each kind of command. */
export type Handlers<Result> = {
  readonly [Kind in Command['do']]: (command: Extract<Command, { readonly do: Kind }>) => Result
}

export function dispatch<Result>(handlers: Handlers<Result>, command: Command): Result {
  const handler = handlers[command.do] as (given: Command) => Result
  return handler(command)
}

export interface Sequence {
  readonly setup: Setup
  readonly commands: readonly Command[]
}

const setup: fc.Arbitrary<Setup> = fc.record({
  profile: fc.constantFrom('v5', 'modern'),
  firmware: fc.constantFrom('papr', 'qemu'),
  bootArguments: fc.oneof(
    { arbitrary: fc.constant('fadump=on' as const), weight: 10 },
    { arbitrary: fc.constantFrom('fadump=off' as const, 'fadump=on panic=0' as const), weight: 2 },
  ),
  dumpOption: fc.oneof(
    { arbitrary: fc.constant(true), weight: 20 },
    { arbitrary: fc.constant(false), weight: 1 },
  ),
  dumpService: fc.boolean(),
  processors: fc.constantFrom(1, 2),
})

const of = fc.constantFrom
const texts = '1 0 1 0 1\n 0\n 2 1junk 0x1 01 -1 on'.split(' ').concat('', ' 1')
const appended = [' nr_cpus=1', 'quiet\n', '', 'x'.repeat(2040), 'y'.repeat(2048)] as const

const flagFaults: readonly FaultName[] = [
  ...(['cpu-state-error', 'cpu-state-short', 'hpte-error', 'real-mode-error'] as const),
  ...(['real-mode-short', 'unknown-section', 'header-status-set', 'regsave-magic'] as const),
  'no-extended-os-term',
]

const fault: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ do: of('fault' as const), name: of(...flagFaults) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: of('fault' as const),
      name: of<FaultName[]>('register-status', 'unregister-status', 'invalidate-status'),
      value: of(-1, -2, -3, -9, -10, 9901, -7),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: of('fault' as const),
      name: of<FaultName[]>('os-term-status'),
      value: of(-1, -2, 9900),
    }),
  },
)

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: of('write' as const),
      file: of<SysfsFile[]>('registered', 'registered', 'registered', 'enabled'),
      text: of(...texts),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: of('write' as const),
      file: of<SysfsFile[]>('release_mem'),
      text: of('1', '1', '1', ...texts),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: of('read' as const),
      file: of<SysfsFile[]>('enabled', 'registered', 'release_mem'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: of('append' as const), text: of(...appended) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: of('rtas' as const),
      command: of(1, 1, 2, 2, 3, 3, 0, 4),
      length: of<RawLength[]>('exact', 'exact', 'exact', 'short', 'tiny', 'huge'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: of('rtas-cells' as const), argumentCount: of(2 as const, 4) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: of('crash' as const),
      cause: of('sysrq' as const, 'panic', 'bug', 'hard-lockup'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: of('shutdown' as const),
      action: of('reboot' as const, 'reboot', 'power-off'),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: of('activate' as const, 'restart', 'powerOff', 'systemReset', 'kill', 'migrate'),
    }),
  },
  { weight: 5, arbitrary: fault },
  { weight: 1, arbitrary: fc.record({ do: of('disarm' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: of('plant' as const), seed: fc.nat(250) }) },
)

/** The most commands of one sequence. */
export const commandsMax = 8

export const sequences: fc.Arbitrary<Sequence> = fc.record({
  setup,
  commands: fc.array(command, { minLength: 1, maxLength: commandsMax, size: 'max' }),
})

/** One line a command. */
export function describe({ setup: given, commands }: Sequence): string {
  return [JSON.stringify(given), ...commands.map((one) => `  ${JSON.stringify(one)}`)].join('\n')
}
