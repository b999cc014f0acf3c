/**
 * The value of `crashkernel=` (`kernel/crash_reserve.c`): `size[@offset]`, or `start-[end]:size[,…][@offset]`, where
 * the first range with start ≤ memory < end counts. fadump takes the size only (C080).
 */
import { alignUp, byteLength, MiB, type ByteLength } from '../units/index.ts'
import { memparse } from './memparse.ts'

export interface Crashkernel {
  /** 0 when the value is refused, no range matches, or the size is all memory or more. */
  readonly size: ByteLength
  readonly log: readonly string[]
}

/** Ranges are compared with the amount of memory rounded up to this: firmware keeps some memory to itself. */
const memoryRounding = 128n * MiB
/** End of a range that states none. */
const endless = 0xffff_ffff_ffff_ffffn

/** What `text` asks for on a machine with `memory` bytes. */
export function parseCrashkernel(text: string, memory: ByteLength): Crashkernel {
  const parsed = text.includes(':') ? parseRanges(text, memory) : parseSize(text)
  return parsed.size >= memory ? { ...parsed, size: byteLength(0n) } : parsed
}

function parseSize(text: string): Crashkernel {
  const { value, rest } = memparse(text)
  if (rest === text) return refused('memory value expected')
  if (rest !== '' && !rest.startsWith('@')) return refused(`unrecognized char: ${rest.charAt(0)}`)
  return { size: byteLength(value), log: [] }
}

function parseRanges(text: string, memory: ByteLength): Crashkernel {
  const total = alignUp(memory, memoryRounding)
  let rest = text
  for (;;) {
    const range = parseRange(rest)
    if (typeof range === 'string') return refused(range)
    if (range.size >= total) return refused('invalid size')
    if (total >= range.start && total < range.end) {
      return range.size === 0n ? nothing : { size: byteLength(range.size), log: [] }
    }
    if (!range.rest.startsWith(',')) return nothing
    rest = range.rest.slice(1)
  }
}

interface SizeRange {
  readonly start: bigint
  readonly end: bigint
  readonly size: bigint
  readonly rest: string
}

/** The range at the start of `text`, or what is wrong with it. */
function parseRange(text: string): SizeRange | string {
  const start = memparse(text)
  if (start.rest === text) return 'Memory value expected'
  if (!start.rest.startsWith('-')) return "'-' expected"
  const endText = start.rest.slice(1)
  const end = endText.startsWith(':') ? { value: endless, rest: endText } : memparse(endText)
  if (end.rest === endText && !endText.startsWith(':')) return 'Memory value expected'
  if (end.value <= start.value) return 'end <= start'
  if (!end.rest.startsWith(':')) return "':' expected"
  const sizeText = end.rest.slice(1)
  const size = memparse(sizeText)
  if (size.rest === sizeText) return 'Memory value expected'
  return { start: start.value, end: end.value, size: size.value, rest: size.rest }
}

const nothing: Crashkernel = {
  size: byteLength(0n),
  log: ['crashkernel size resulted in zero bytes'],
}

function refused(why: string): Crashkernel {
  return { size: byteLength(0n), log: [`crashkernel: ${why}`] }
}
