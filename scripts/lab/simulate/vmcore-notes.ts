/** The notes of a stored vmcore: a CPU for each that was online, and the time of the crash. */
import { notesIn } from '@fadump-lab/hmc-api'
import type { Content } from './disk-content.ts'

/** What the notes of a crash must tell. */
export interface ExpectedNotes {
  /** How many CPUs there are; `undefined`: the notes tell nothing. */
  readonly cpus: number | undefined
  /** Milliseconds since 1970; `undefined` when clocks may be wrong. */
  readonly crashedAtMs: number | undefined
}

/** The PT_NOTE segment. */
export interface NoteSegment {
  readonly offset: number
  readonly length: number
  readonly isLittle: boolean
}

/** Between the time that a kernel writes down and the moment at which firmware takes over. */
const crashMsMax = 300_000
const notesBytesMax = 1024 * 1024

/** What is wrong with the notes; `undefined` when nothing is. */
export function wrongNotes(
  { cpus, crashedAtMs }: ExpectedNotes,
  vmcore: Content,
  segment: NoteSegment | undefined,
): string | undefined {
  if (cpus === undefined) return undefined
  const { cpuNotes, vmcoreinfo = '' } = readNotes(vmcore, segment)
  if (cpuNotes !== cpus) return `its notes tell of ${cpuNotes} CPUs, not of ${cpus}`
  return wrongTime(vmcoreinfo, crashedAtMs)
}

function readNotes(vmcore: Content, segment: NoteSegment | undefined): ReturnType<typeof notesIn> {
  const { offset = 0, length = 0, isLittle = true } = segment ?? {}
  const bytes = new Uint8Array(Math.min(length, notesBytesMax))
  vmcore.read(bytes, offset)
  return notesIn(bytes, isLittle)
}

function wrongTime(vmcoreinfo: string, crashedAtMs: number | undefined): string | undefined {
  const seconds = /^CRASHTIME=(\d+)$/m.exec(vmcoreinfo)?.[1]
  if (seconds === undefined) return 'its notes do not tell when the partition crashed'
  if (crashedAtMs === undefined) return undefined
  const earlyMs = crashedAtMs - Number(seconds) * 1000
  const isRight = -1000 < earlyMs && earlyMs < crashMsMax
  return isRight ? undefined : `its notes tell of a crash ${earlyMs} ms before there was one`
}
