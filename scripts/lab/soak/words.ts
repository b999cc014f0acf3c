/** How the options of `./lab soak` are read. */
import { UsageError } from '../command.ts'

/** A number in decimal or as `0x…`, within bounds. */
export function count(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^(?:\d+|0x[0-9a-fA-F]+)$/.test(text) ? Number(text) : Number.NaN
    if (value >= min && value <= max) return value
    throw new UsageError(
      `${JSON.stringify(text)} does not fit: a whole number from ${min} to ${max}, decimal or 0x…`,
    )
  }
}

/** A decimal fraction above 0. */
export function positive(text: string): number {
  const value = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : Number.NaN
  if (value > 0) return value
  throw new UsageError(`${JSON.stringify(text)} is no number above 0`)
}

/** Words with commas between. */
export function list(text: string): readonly string[] {
  const words = text.split(',').map((word) => word.trim())
  if (words.every((word) => word !== '')) return words
  throw new UsageError(`${JSON.stringify(text)} is no list: words with commas between`)
}

export function numbers(text: string): readonly number[] {
  return list(text).map(count(0, Number.MAX_SAFE_INTEGER))
}

/** `cause=weight` with commas between. */
export function weights(text: string): Readonly<Record<string, number>> {
  return Object.fromEntries(
    list(text).map((word) => {
      const [name = '', weight = '1'] = word.split('=')
      return [name, count(0, 1000)(weight)]
    }),
  )
}
