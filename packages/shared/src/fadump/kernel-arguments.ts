/**
 * The boot arguments that decide about fadump: `fadump=`, `fadump_reserve_mem=`, `crashkernel=`, `mem=`, read the way
 * Linux reads them (`lib/cmdline.c`, `kernel/params.c`, `arch/powerpc/kernel/fadump.c`).
 */
import { alignUp, byteLength, type ByteLength } from '../units/index.ts'
import { parseCrashkernel, type Crashkernel } from './crashkernel-argument.ts'
import { commandLineBytesMax, type KernelProfile } from './kernel-profiles.ts'
import { memparse } from './memparse.ts'

export interface KernelArguments {
  readonly isFadumpEnabled: boolean
  /** False after `fadump=nocma`. */
  readonly isCmaAllowed: boolean
  /** `fadump_reserve_mem=`; 0 when absent. */
  readonly reserveMemory: ByteLength
  /** `mem=`, rounded up to a page; 0 when absent. */
  readonly memoryLimit: ByteLength
  /** The last `crashkernel=`, still unread: its meaning depends on the amount of memory. */
  readonly crashkernel?: string
}

/** `fadump=` words, matched as prefixes: `fadump=once` enables. A word that no row begins changes nothing. */
const fadumpWords: readonly {
  readonly word: string
  readonly isFadumpEnabled: boolean
  readonly isCmaAllowed?: boolean
}[] = [
  { word: 'on', isFadumpEnabled: true },
  { word: 'off', isFadumpEnabled: false },
  { word: 'nocma', isFadumpEnabled: true, isCmaAllowed: false },
]

type Profile = Pick<KernelProfile, 'pageSize' | 'cmaAlignment'>
type Draft = { -readonly [Name in keyof KernelArguments]: KernelArguments[Name] }

/** The early parameters by name; each sees the value of every occurrence in turn, so the last one of a kind wins. */
const earlyParameters: Readonly<
  Record<string, (value: string, draft: Draft, profile: Profile) => void>
> = {
  fadump: (value, draft, profile) => {
    const row = fadumpWords.find(({ word }) => value.startsWith(word))
    if (row === undefined || (row.word === 'nocma' && profile.cmaAlignment === undefined)) return
    draft.isFadumpEnabled = row.isFadumpEnabled
    draft.isCmaAllowed &&= row.isCmaAllowed ?? true
  },
  fadump_reserve_mem: (value, draft) => {
    draft.reserveMemory = byteLength(memparse(value).value)
  },
  mem: (value, draft, profile) => {
    const limit = alignUp(memparse(value).value, profile.pageSize)
    draft.memoryLimit = byteLength(BigInt.asUintN(64, limit))
  },
  crashkernel: (value, draft) => {
    if (!/,(?:high|low|cma)$/.test(value)) draft.crashkernel = value
  },
}

/** What a command line says about fadump. */
export function parseKernelArguments(commandLine: string, profile: Profile): KernelArguments {
  const draft: Draft = {
    isFadumpEnabled: false,
    isCmaAllowed: true,
    reserveMemory: byteLength(0n),
    memoryLimit: byteLength(0n),
  }
  for (const { name, value } of splitCommandLine(commandLine)) {
    if (value !== undefined && Object.hasOwn(earlyParameters, name)) {
      earlyParameters[name]?.(value, draft, profile)
    }
  }
  return draft
}

export interface CommandLineArgument {
  /** As Linux compares it: `-` counts as `_`. */
  readonly name: string
  readonly value: string | undefined
}

/** The arguments up to `--`; double quotes keep blanks together. */
export function splitCommandLine(commandLine: string): CommandLineArgument[] {
  const words: readonly string[] = commandLine.match(/(?:[^\s"]|"[^"]*"?)+/g) ?? []
  const end = words.indexOf('--')
  return words.slice(0, end < 0 ? words.length : end).map((word) => {
    const bare = word.replace(/^"|"$/g, '')
    const equals = bare.indexOf('=')
    const name = (equals < 0 ? bare : bare.slice(0, equals)).replaceAll('-', '_')
    const value = equals < 0 ? undefined : bare.slice(equals + 1).replaceAll('"', '')
    return { name, value }
  })
}

/** What `crashkernel=` asks for on a machine with `memory` bytes; size 0 when it is absent or asks for nothing. */
export function crashkernelOf(
  kernelArguments: Pick<KernelArguments, 'crashkernel'>,
  memory: ByteLength,
): Crashkernel {
  const text = kernelArguments.crashkernel
  return text === undefined ? { size: byteLength(0n), log: [] } : parseCrashkernel(text, memory)
}

/**
 * The capture kernel's command line with the content of the parameter area: a blank and the arguments, cut so that it
 * fits `COMMAND_LINE_SIZE` (`fadump_append_bootargs`).
 */
export function appendBootArguments(
  commandLine: string,
  appended: string,
): { readonly commandLine: string; readonly log: readonly string[] } {
  const isCut = commandLine.length + appended.length >= commandLineBytesMax - 1
  const updated = `${commandLine} ${appended}`.slice(0, commandLineBytesMax - 1)
  return {
    commandLine: updated,
    log: [
      ...(isCut ? ['fadump: WARNING: Appending parameters exceeds cmdline size. Truncating!'] : []),
      `fadump: Updated cmdline: ${updated}`,
    ],
  }
}
